"""The same trainings as others write them, to be timed beside ganaug's."""
