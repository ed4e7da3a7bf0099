"""What runs in the hosts of the tests.

peer.py receive SECONDS       accepts one connection, prints the Mbit/s that came in
peer.py send ADDRESS          connects there, sends until the other closes
peer.py echo                  accepts one connection, sends back what comes
peer.py ping ADDRESS COUNT    connects there, prints the median round trip in milliseconds
peer.py congestion ADDRESS    connects there, prints how TCP controls congestion
peer.py burn SECONDS          computes, prints the cores that it had
"""
import socket
import statistics
import sys
import time

PORT = 5001
PATIENCE = 5.0  # seconds for the other to listen
WARM_UP = 0.3  # seconds that are not counted: TCP's start, and what the token bucket has saved up


def listen():
    listener = socket.create_server(("", PORT))
    listener.settimeout(PATIENCE)
    return listener.accept()[0]


def connect(address):
    until = time.monotonic() + PATIENCE
    while True:
        try:
            connection = socket.create_connection((address, PORT), timeout=PATIENCE)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


def receive(seconds):
    connection = listen()
    first = time.monotonic()
    begin, size = None, 0
    while True:
        block = connection.recv(1 << 16)
        now = time.monotonic()
        if begin is None:
            begin = now if now - first > WARM_UP else None
            continue
        size += len(block)
        if now - begin > float(seconds):
            break
    print(size * 8 / (now - begin) / 1e6)


def send(address):
    connection = connect(address)
    try:
        while True:
            connection.sendall(bytes(1 << 16))
    except (ConnectionResetError, BrokenPipeError):
        pass


def echo():
    connection = listen()
    while block := connection.recv(64):
        connection.sendall(block)


def ping(address, count):
    connection = connect(address)
    trips = []
    for _ in range(int(count)):
        begin = time.monotonic()
        connection.sendall(b"x")
        connection.recv(1)
        trips.append(time.monotonic() - begin)
    print(statistics.median(trips) * 1e3)


def congestion(address):
    name = connect(address).getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16)
    print(name.rstrip(b"\0").decode())


def burn(seconds):
    begin, used = time.monotonic(), time.process_time()
    while time.monotonic() - begin < float(seconds):
        pass
    print((time.process_time() - used) / (time.monotonic() - begin))


if __name__ == "__main__":
    acts = (receive, send, echo, ping, congestion, burn)
    {act.__name__: act for act in acts}[sys.argv[1]](*sys.argv[2:])
