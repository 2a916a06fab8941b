"""Takes ports of this machine at random, as its neighbours do: listens on any free one, binds one without listening,
connects out, holds each for a moment, and gives it back. Ends when its standard input does.

It never asks for a port by number, so it takes none that anybody holds; whoever looks for a free port, lets it go and
binds it later loses it to this process soon.
"""

import os
import random
import select
import socket
import sys

HELD = 400
SEED = int(os.environ.get("HILUM_PORTS_SEED", "0")) or random.randrange(1 << 32)


def main():
    print(f"seed {SEED}", flush=True)
    choice = random.Random(SEED)
    held = []
    taken = 0
    server = socket.create_server(("127.0.0.1", 0), backlog=128)
    server.setblocking(False)
    while True:
        if select.select([sys.stdin], [], [], 0)[0] and not sys.stdin.buffer.read1(1):
            break
        kind = choice.random()
        one = socket.socket()
        try:
            if kind < 0.5:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                one.bind(("127.0.0.1", 0))
                one.listen(1)
            elif kind < 0.8:
                one.bind(("127.0.0.1", 0))
            else:
                one.connect(server.getsockname())
                server.accept()[0].close()
            held.append(one)
            taken += 1
        except OSError:
            one.close()
        while len(held) > HELD:
            held.pop(choice.randrange(len(held))).close()
        # So many a second that a port which was free a moment ago is gone.
        select.select([], [], [], 0.0005)
    print(f"ports taken: {taken}", flush=True)


main()
