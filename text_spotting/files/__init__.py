"""The doors to the disk: every file that others made comes in here, and every result goes out here.

Readers end in one line that names the file, and the line where there is one; writers write whole or not at all.
"""
