"""Reading many pictures: shares of the work that can be lost and done again, and the engine that runs them."""
