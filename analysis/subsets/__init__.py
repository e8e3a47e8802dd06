"""What a selection is like: tables from plain arrays, the rows of the pool and the selections."""
