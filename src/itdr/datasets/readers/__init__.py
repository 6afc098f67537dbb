"""Raw files as checked columns: lines, separated cells, JSON, text, times, rejected rows."""
