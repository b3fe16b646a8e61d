"""Work on many images: shares that can be lost and done again, and the engine that runs them."""
