"""What measures: arms, classifiers, protocol, statistics and report."""
