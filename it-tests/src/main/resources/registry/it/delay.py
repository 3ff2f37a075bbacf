# Carries frames between two tap devices of its network namespace, each way, so many milliseconds late as the last line
# on standard input says. Frames keep their order. Says "ready" when the devices are there; ends with its input.
import collections
import fcntl
import os
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TAP_NO_PI = 0x0002 | 0x1000
FRAME = 65536
MOST_FRAMES = 100_000


def tap(name):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TAP_NO_PI))
    return device


def take(source, queue, delay):
    last = queue[-1][0] if queue else 0
    try:
        while True:
            frame = os.read(source, FRAME)
            if len(queue) < MOST_FRAMES:
                queue.append((max(last, time.monotonic() + delay), frame))
    except OSError:
        pass  # nothing more for now, or the device is still down


def give(queue, target):
    now = time.monotonic()
    while queue and queue[0][0] <= now:
        try:
            os.write(target, queue.popleft()[1])
        except OSError:
            pass  # lost, as on any wire


one, other = tap(sys.argv[1]), tap(sys.argv[2])
ways = ((one, other, collections.deque()), (other, one, collections.deque()))
delay = 0.0
print("ready", flush=True)
while True:
    due = [queue[0][0] for _, _, queue in ways if queue]
    wait = max(0.0, min(due) - time.monotonic()) if due else None
    readable = select.select([one, other, 0], [], [], wait)[0]
    if 0 in readable:
        lines = os.read(0, FRAME).split()
        if not lines:
            break
        delay = int(lines[-1]) / 1000
    for source, target, queue in ways:
        if source in readable:
            take(source, queue, delay)
        give(queue, target)
