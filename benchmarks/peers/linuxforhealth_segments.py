"""Takes an X12 file apart into segments and elements with linuxforhealth-x12, which validates only sets of HIPAA;
prints seconds."""

import sys
import time

from linuxforhealth.x12.io import X12SegmentReader

began = time.perf_counter()
with X12SegmentReader(sys.argv[1]) as reader:
    for _ in reader.segments():
        pass
print(time.perf_counter() - began)
