"""Reproject a cloud as a page of laspy and pyproj would: one process, chunk by chunk.

python benchmarks/clouds_peer.py SOURCE DESTINATION FROM TO
"""

import json
import sys
import time

import laspy
import numpy as np
from pyproj import CRS, Transformer

CHUNK = 1_000_000


def main() -> None:
    source, destination, there, here = sys.argv[1:]
    began, wall = time.process_time(), time.perf_counter()
    transformer = Transformer.from_crs(there, here, always_xy=True)
    with laspy.open(source) as reader:
        low = transformer.transform(*reader.header.mins[:2])
        header = laspy.LasHeader(version="1.4", point_format=reader.header.point_format)
        header.scales = np.array([0.001, 0.001, reader.header.scales[2]])
        header.offsets = np.array([*np.floor(low), reader.header.offsets[2]])
        header.add_crs(CRS(here))
        with laspy.open(destination, "w", header=header) as writer:
            for points in reader.chunk_iterator(CHUNK):
                moved = laspy.ScaleAwarePointRecord.zeros(len(points), header=header)
                moved.copy_fields_from(points)
                moved.x, moved.y = transformer.transform(points.x, points.y)
                writer.write_points(moved)
    cpu_s, wall_s = time.process_time() - began, time.perf_counter() - wall
    print(json.dumps({"cpu_s": cpu_s, "longest_s": cpu_s, "wall_s": wall_s}))


if __name__ == "__main__":
    main()
