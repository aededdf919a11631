"""Array maths on sound: loudness, filters, stretching, spans of labels."""
