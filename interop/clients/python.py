"""python-consul and python-consul2 at the work they are used for. Prints what was done."""
import os
import threading
import time
import uuid

import consul

client = consul.Consul(host=os.environ["REGISTRY_HOST"], port=int(os.environ["REGISTRY_PORT"]))
name = "py-" + uuid.uuid4().hex[:8]

assert client.status.leader()
assert client.agent.self()["Config"]["NodeName"] == "interop"

assert client.agent.service.register(
    name, service_id=name + "-1", port=8080, tags=["a", "b"], check=consul.Check.ttl("30s"))
index, rows = client.health.service(name, passing=True)
assert rows == [], rows

woken = []


def wait():
    woken.append(client.health.service(name, passing=True, index=index, wait="20s"))


waiter = threading.Thread(target=wait)
waiter.start()
time.sleep(0.3)
# The older of the two says GET here and to deregister, which no Consul since 1.0 takes.
client.http.put(lambda r: r, "/v1/agent/check/pass/service:%s-1" % name)
waiter.join(10)
assert woken and woken[0][1][0]["Service"]["Port"] == 8080, woken
assert woken[0][1][0]["Service"]["Tags"] == ["a", "b"]
assert name in client.catalog.services()[1]
assert client.catalog.service(name, tag="a")[1][0]["ServiceID"] == name + "-1"
assert [n["Node"] for n in client.catalog.nodes()[1]] == ["interop"]

key = name + "/key"
assert client.kv.put(key, b"\x00\xffbytes", flags=7)
index, pair = client.kv.get(key)
assert pair["Value"] == b"\x00\xffbytes" and pair["Flags"] == 7
assert not client.kv.put(key, "x", cas=1)
assert client.kv.put(key, "x", cas=pair["ModifyIndex"])
assert client.kv.get(name + "/", recurse=True)[1][0]["Value"] == b"x"
assert client.kv.get(name, keys=True)[1] == [key]

session = client.session.create(name="py", ttl=10, behavior="delete", lock_delay=0)
assert client.kv.put(key, "locked", acquire=session)
assert client.kv.get(key)[1]["Session"] == session
other = client.session.create(name="py2", lock_delay=0)
assert not client.kv.put(key, "other", acquire=other)
assert client.session.renew(session)["ID"] == session
assert session in [s["ID"] for s in client.session.list()[1]]
assert client.session.destroy(session)
assert client.kv.get(key)[1] is None
client.session.destroy(other)

assert client.kv.delete(name, recurse=True)

assert client.event.fire(name, "body")
# The second of the two leaves the payload in base64, whatever it is sent.
assert client.event.list(name)[1][0]["Payload"] in (b"body", "Ym9keQ==")

client.http.put(lambda r: r, "/v1/agent/service/deregister/%s-1" % name)
assert client.health.service(name)[1] == []
print("services, checks, blocking, kv, sessions and locks, events")
