"""Patroni with two PostgreSQL servers over a cluster of three: kill -9 of the leading one and of its Patroni makes the other one
lead, the old one comes back as its replica, and the loss of the registry's own leader changes nothing.

    patroni.py REGISTRY PATRONI POSTGRES_BIN CLIENT_BIN SCRATCH
"""
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time

import psycopg2

REGISTRY, PATRONI, POSTGRES_BIN, CLIENT_BIN, SCRATCH = sys.argv[1:]
DIR = os.path.join(SCRATCH, "patroni")
SCOPE = "rows"
TTL = 20
# PostgreSQL refuses to be root, and who is not root can't always read where this was cloned to: root is nobody in a namespace.
AS_NOBODY = ["unshare", "--user", "--map-user=65534", "--map-group=65534"] if os.geteuid() == 0 else []
# python-consul would obey it rather than Patroni's configuration.
os.environ.pop("CONSUL_HTTP_ADDR", None)
started = []


def free_ports(count):
    held = [socket.socket() for _ in range(count)]
    for s in held:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


def get(port, path):
    """Status and body, or None of who does not answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except OSError:
        return None, ""
    finally:
        connection.close()


def wait_until(what, so, seconds=60):
    end = time.monotonic() + seconds
    while True:
        found = so()
        if found:
            return found
        if time.monotonic() > end:
            sys.exit("never so: " + what)
        time.sleep(0.1)


class Server:
    """One of the registry's three."""

    def __init__(self, name):
        self.name = name
        self.http, self.server, self.lan, self.wan = free_ports(4)

    def start(self, others):
        with open("%s/%s.hcl" % (DIR, self.name), "w") as f:
            f.write("""
node_name = "%s" server = true bootstrap_expect = 3 data_dir = "%s/%s" bind_addr = "127.0.0.1" client_addr = "127.0.0.1"
retry_join = [%s] ports { http = %d dns = -1 server = %d serf_lan = %d serf_wan = %d }
""" % (self.name, DIR, self.name, ", ".join('"127.0.0.1:%d"' % o.lan for o in others), self.http, self.server, self.lan, self.wan))
        log = open("%s/%s.log" % (DIR, self.name), "a")
        command = [REGISTRY, "agent", "-config-file", "%s/%s.hcl" % (DIR, self.name)]
        self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        started.append(self.process)

    def leads(self):
        status, body = get(self.http, "/v1/agent/self")
        return status == 200 and json.loads(body)["Stats"]["consul"]["leader"] == "true"

    def ready(self):
        return get(self.http, "/v1/kv/ready?consistent")[0] == 404


class Member:
    """A PostgreSQL server and the Patroni that minds it."""

    def __init__(self, name, agent):
        self.name = name
        self.data = "%s/data-%s" % (DIR, name)
        self.rest, self.sql = free_ports(2)
        with open("%s/%s.json" % (DIR, name), "w") as f:
            json.dump({
                "scope": SCOPE,
                "name": name,
                "restapi": {"listen": "127.0.0.1:%d" % self.rest, "connect_address": "127.0.0.1:%d" % self.rest},
                "consul": {"host": "127.0.0.1:%d" % agent.http, "register_service": True, "service_check_interval": "1s"},
                "bootstrap": {
                    "dcs": {
                        "ttl": TTL, "loop_wait": 2, "retry_timeout": 5,
                        "postgresql": {"use_pg_rewind": True, "use_slots": True},
                    },
                    "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, "data-checksums"],
                },
                "postgresql": {
                    "listen": "127.0.0.1:%d" % self.sql,
                    "connect_address": "127.0.0.1:%d" % self.sql,
                    "data_dir": self.data,
                    "bin_dir": "%s/bin" % DIR,
                    "pgpass": "%s/pgpass-%s" % (DIR, name),
                    "pg_hba": ["host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"],
                    "authentication": {"superuser": {"username": "postgres"}, "replication": {"username": "replicator"}},
                    "parameters": {
                        "unix_socket_directories": "", "shared_buffers": "16MB", "max_connections": 20, "jit": "off",
                        "wal_keep_size": "64MB", "dynamic_shared_memory_type": "mmap",
                    },
                },
            }, f)

    def start(self):
        log = open("%s/%s.log" % (DIR, self.name), "a")
        command = AS_NOBODY + [sys.executable, PATRONI, "%s/%s.json" % (DIR, self.name)]
        self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        started.append(self.process)

    def postmaster(self):
        try:
            with open(self.data + "/postmaster.pid") as f:
                return int(f.readline())
        except OSError:
            return None

    def kill(self):
        """kill -9 of both, as if their machine had gone."""
        self.process.kill()
        self.process.wait()
        os.kill(self.postmaster(), signal.SIGKILL)

    def leads(self):
        # Patroni says so as soon as it has the lock, when PostgreSQL may not yet take writes.
        try:
            return get(self.rest, "/primary")[0] == 200 and self.sql_rows("SELECT pg_is_in_recovery()") == [False]
        except psycopg2.Error:
            return False

    def follows(self):
        status, body = get(self.rest, "/replica?lag=0")
        return status == 200 and json.loads(body).get("replication_state", "streaming") == "streaming"

    def timeline(self):
        return json.loads(get(self.rest, "/patroni")[1])["timeline"]

    def sql_rows(self, statement):
        connection = psycopg2.connect(host="127.0.0.1", port=self.sql, user="postgres", dbname="postgres", connect_timeout=3)
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return [row[0] for row in cursor.fetchall()] if cursor.description else []
        finally:
            connection.close()

    def has_rows(self, *rows):
        try:
            return self.sql_rows("SELECT n FROM told ORDER BY n") == list(rows)
        except psycopg2.Error:
            return False


def tagged(agent, tag):
    """Which PostgreSQL servers the catalogue tells of as passing."""
    status, body = get(agent.http, "/v1/health/service/%s?passing&tag=%s" % (SCOPE, tag))
    return [row["Service"]["Port"] for row in json.loads(body)] if status == 200 else None


def run():
    # PostgreSQL's programs are in two packages.
    os.makedirs(DIR + "/bin")
    for programs in POSTGRES_BIN, CLIENT_BIN:
        for program in os.listdir(programs):
            os.symlink("%s/%s" % (programs, program), "%s/bin/%s" % (DIR, program))

    servers = [Server("s%d" % n) for n in (1, 2, 3)]
    for server in servers:
        server.start([other for other in servers if other is not server])
    wait_until("the cluster leads", lambda: all(server.ready() for server in servers))

    one, two = Member("one", servers[0]), Member("two", servers[1])
    one.start()
    wait_until("the first one leads", one.leads, 90)
    two.start()
    wait_until("the second one follows", two.follows, 90)
    one.sql_rows("CREATE TABLE told (n int)")
    one.sql_rows("INSERT INTO told VALUES (1)")
    wait_until("the row is on both", lambda: two.has_rows(1))
    for server in servers:
        wait_until("the catalogue tells of both", lambda: tagged(server, "primary") == [one.sql] and tagged(server, "replica") == [two.sql])

    killed = time.monotonic()
    one.kill()
    wait_until("the other one leads", two.leads)
    led = time.monotonic() - killed
    two.sql_rows("INSERT INTO told VALUES (2)")
    for server in servers:
        wait_until("the catalogue tells of the other one", lambda: tagged(server, "primary") == [two.sql])

    one.start()
    wait_until("the old one follows", one.follows, 90)
    wait_until("it has the rows", lambda: one.has_rows(1, 2))
    wait_until("the catalogue tells of it", lambda: tagged(servers[2], "replica") == [one.sql])

    timeline = two.timeline()
    leader = next(server for server in servers if server.leads())
    leader.process.kill()
    leader.process.wait()
    leader.start([other for other in servers if other is not leader])
    wait_until("the cluster leads again", lambda: all(server.ready() for server in servers))
    two.sql_rows("INSERT INTO told VALUES (3)")
    wait_until("the row is on both", lambda: one.has_rows(1, 2, 3))
    # Longer than the lock lasts when nobody renews it.
    end = time.monotonic() + TTL + 2
    while time.monotonic() < end:
        assert two.timeline() == timeline, "PostgreSQL's leader changed with the registry's"
        time.sleep(1)
    assert two.leads() and one.follows()
    print("leader killed, the other led after %.1f s (ttl %d), the old one follows; a registry leader killed, none changed" % (led, TTL))


try:
    run()
finally:
    for process in started:
        if process.poll() is None:
            process.terminate()
    for process in started:
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
