"""Validates an X12 file with pyx12; prints seconds. Its verdict isn't looked at: its maps are those of HIPAA."""

import io
import logging
import sys
import time

import pyx12.params
import pyx12.x12n_document

logging.disable(logging.CRITICAL)
began = time.perf_counter()
pyx12.x12n_document.x12n_document(pyx12.params.params(), sys.argv[1], io.StringIO(), None, None)
print(time.perf_counter() - began)
