"""The methods written slowly and literally from their formulas, for the tests to compare with."""
