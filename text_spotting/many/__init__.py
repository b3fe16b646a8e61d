"""Work on many pictures: shares that can be lost and done again, and the engine that runs them."""
