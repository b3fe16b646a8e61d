"""Training on one fast card in little time: data lives on the card, and no step waits for the CPU."""
