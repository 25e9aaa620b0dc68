"""How much synthetic images are like real ones: features, measures, scores."""
