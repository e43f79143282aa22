"""What is done with decisions, and who may act: dispatch, guard."""
