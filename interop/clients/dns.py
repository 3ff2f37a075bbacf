"""Asks for what is registered through a resolver that forwards .consul to the agent.

    dns.py HOST:PORT
"""
import json
import os
import socket
import struct
import sys
import time
import urllib.request

AGENT = "http://" + os.environ["CONSUL_HTTP_ADDR"]
HOST, PORT = sys.argv[1].rsplit(":", 1)
TYPES = {"A": 1, "PTR": 12, "TXT": 16, "SRV": 33}


def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(AGENT + path, data, method=method), timeout=10) as answer:
        return answer.read()


def skip_name(packet, at):
    while True:
        length = packet[at]
        if length == 0:
            return at + 1
        if length >= 0xC0:
            return at + 2
        at += 1 + length


def ask(name, kind, tcp=False):
    """The response code, and the type, TTL and data of each answer."""
    question = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"
    query = struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + question + struct.pack(">HH", TYPES[kind], 1)
    for attempt in range(3):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as s:
            s.settimeout(5)
            s.connect((HOST, int(PORT)))
            try:
                if tcp:
                    s.sendall(struct.pack(">H", len(query)) + query)
                    size = struct.unpack(">H", s.recv(2, socket.MSG_WAITALL))[0]
                    packet = s.recv(size, socket.MSG_WAITALL)
                else:
                    s.send(query)
                    packet = s.recv(65535)
                break
            except TimeoutError:
                if attempt == 2:
                    raise
    flags, _, answers = struct.unpack(">HHH", packet[2:8])
    at = skip_name(packet, 12) + 4
    found = []
    for _ in range(answers):
        at = skip_name(packet, at)
        its_type, _, ttl, length = struct.unpack(">HHIH", packet[at : at + 10])
        data = packet[at + 10 : at + 10 + length]
        at += 10 + length
        if its_type == 1:
            found.append(("A", ttl, socket.inet_ntoa(data)))
        elif its_type == 33:
            found.append(("SRV", ttl, struct.unpack(">H", data[4:6])[0]))
        else:
            found.append((its_type, ttl, data))
    return flags & 15, found


def check(what, got, wanted):
    if got != wanted:
        sys.exit("%s: %r, expected %r" % (what, got, wanted))


def values(name, kind, tcp=False):
    code, found = ask(name, kind, tcp)
    check(name + " code", code, 0)
    return sorted(value for its_type, _, value in found if its_type == kind)


def main():
    addresses = []
    for number in range(1, 21):
        address = "10.9.0.%d" % number
        addresses.append(address)
        call("PUT", "/v1/catalog/register", {
            "Node": "dns-%d" % number, "Address": address,
            "Service": {"Service": "forwarded", "Port": 9000 + number, "Tags": ["odd" if number % 2 else "even"]}})
    call("PUT", "/v1/catalog/register", {
        "Node": "dns-1", "Address": "10.9.0.1", "SkipNodeUpdate": True,
        "Service": {"Service": "single", "Port": 9100}})
    query = json.loads(call("POST", "/v1/query", {
        "Name": "prepared", "Service": {"Service": "single"}, "DNS": {"TTL": "9s"}}))["ID"]
    try:
        check("node", values("dns-3.node.consul", "A"), ["10.9.0.3"])
        check("node by TCP", values("dns-3.node.consul", "A", tcp=True), ["10.9.0.3"])
        check("all of a service by TCP", values("forwarded.service.consul", "A", tcp=True), sorted(addresses))
        some = values("forwarded.service.consul", "A")
        check("some of a service", (bool(some), set(some) <= set(addresses)), (True, True))
        check("SRV", values("_single._tcp.service.consul", "SRV"), [9100])
        check("tag", len(values("even.forwarded.service.consul", "A", tcp=True)), 10)
        code, found = ask("prepared.query.consul", "A")
        check("prepared query", (code, [(t, v) for t, _, v in found]), (0, [("A", "10.9.0.1")]))
        check("its TTL", 0 < found[0][1] <= 9, True)
        check("what is not there", ask("nothing.service.consul", "A"), (3, []))
        # A TTL of 0 is kept by nobody: what is registered now is there now.
        call("PUT", "/v1/catalog/register", {
            "Node": "dns-2", "Address": "10.9.0.2", "SkipNodeUpdate": True,
            "Service": {"Service": "nothing", "Port": 1}})
        deadline = time.time() + 10
        while ask("nothing.service.consul", "A")[0] != 0 and time.time() < deadline:
            time.sleep(0.2)
        check("what is there now", values("nothing.service.consul", "A"), ["10.9.0.2"])
    finally:
        call("DELETE", "/v1/query/" + query)
        for number in range(1, 21):
            call("PUT", "/v1/catalog/deregister", {"Node": "dns-%d" % number})
    print("nodes, services, SRV, tags, a prepared query, TCP, what is not there")


main()
