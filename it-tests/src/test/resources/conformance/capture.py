#!/usr/bin/env python3
"""Record (or compare) what a Consul-compatible HTTP/DNS/CLI server answers to a fixed list of calls.

  capture.py run  --http URL [--dns HOST:PORT] [--acl-http URL --acl-token SECRET]
                  [--bin CONSUL] [--out DIR] [--only GROUP,...]
  capture.py diff DIR_EXPECTED DIR_ACTUAL [--only GROUP,...] [-v] [--allow FILE] [--json]

`run` wants a fresh single-node server (node name n1, datacenter dc1, script checks on), as
capture.sh starts it, and writes one DIR/<group>.json per endpoint group.
`diff` compares two such directories structurally: status code, the tracked headers (presence, and
value where it is not an index/time), JSON shape (keys, types, null / [] / {} distinction, list
length) and every scalar that is not volatile (UUID, index, time, version...). Of indexes it compares
the relations: did X-Consul-Index move since the last answer to the same question, is an object's
ModifyIndex its CreateIndex, the small values of LockIndex; of Output whether it is empty. Exit 1 on any difference.
With --json it prints one object per call, {"group","number","title","differences":[...]}, and knows no allow file.
Only the standard library is used.
"""
import argparse, base64, gzip, http.client, json, os, random, re, socket, struct, subprocess, sys, threading, time, urllib.parse

TRACK = ['Content-Type', 'X-Consul-Index', 'X-Consul-KnownLeader', 'X-Consul-LastContact',
         'X-Consul-Effective-Consistency', 'X-Consul-Query-Backend', 'X-Consul-ContentHash', 'X-Consul-Reason',
         'X-Consul-Default-ACL-Policy', 'X-Consul-Translate-Addresses', 'X-Consul-Results-Filtered-By-ACLs',
         'X-Cache', 'Age', 'Allow', 'Vary', 'Content-Encoding', 'Content-Length', 'Content-Security-Policy', 'X-Content-Type-Options',
         'Location', 'Access-Control-Allow-Origin']
MAXBODY = 6000


class Client:
    def __init__(self, base, token=None):
        u = urllib.parse.urlsplit(base)
        self.host, self.port, self.token = u.hostname, u.port or 80, token
        self.steps = []
        self.vars = {}

    def call(self, method, path, body=None, headers=None, timeout=60, name=None, note=None, keep=True, raw=False):
        h = dict(headers or {})
        if self.token and 'X-Consul-Token' not in h and 'Authorization' not in h and 'token=' not in path:
            h['X-Consul-Token'] = self.token
        if body is None:
            data = None
        elif isinstance(body, (bytes, str)):
            data = body.encode() if isinstance(body, str) else body
        else:
            data = json.dumps(body).encode()
        c = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        t0 = time.time()
        try:
            c.request(method, path, body=data, headers=h)
            r = c.getresponse()
            out = r.read()
            status, hdrs = r.status, r.getheaders()
        except (OSError, http.client.HTTPException) as e:
            status, hdrs, out = 0, [], repr(e).encode()
        finally:
            c.close()
        dt = time.time() - t0
        if status == 0 and 'refused' in repr(out):
            raise SystemExit('%s %s: server is gone: %s' % (method, path, out.decode()))
        got = {}
        for k in TRACK:
            v = [x for (n, x) in hdrs if n.lower() == k.lower()]
            if v:
                got[k] = v[0] if len(v) == 1 else v
        if got.get('Content-Encoding') == 'gzip':
            out = gzip.decompress(out)
        try:
            text = out.decode()
        except UnicodeDecodeError:
            text = None
        js = None
        if text is not None and not raw:
            try:
                js = json.loads(text)
            except ValueError:
                js = None
        step = {'request': {'method': method, 'path': path}, 'response': {'status': status, 'headers': got}}
        if name:
            step['name'] = name
        if note:
            step['note'] = note
        if body is not None:
            if isinstance(body, bytes):
                step['request']['body_base64'] = base64.b64encode(body[:200]).decode(); step['request']['body_len'] = len(body)
            elif isinstance(body, str) and len(body) > 400:
                step['request']['body_len'] = len(body); step['request']['body_head'] = body[:60]
            else:
                step['request']['body'] = body
        if headers:
            step['request']['headers'] = headers
        if js is not None or (text is not None and text.strip() == 'null' and not raw):
            step['response']['json'] = js
            if text and '\n    ' in text:
                step['response']['pretty'] = True
        elif text is not None:
            step['response']['text'] = text[:MAXBODY]
        else:
            step['response']['binary_len'] = len(out)
        if dt > 0.8:
            step['response']['seconds'] = round(dt, 1)
        if keep:
            self.steps.append(step)
        return status, (js if js is not None else text), got

    # short forms
    def get(self, p, **k): return self.call('GET', p, **k)
    def put(self, p, b=None, **k): return self.call('PUT', p, b, **k)
    def delete(self, p, **k): return self.call('DELETE', p, **k)
    def post(self, p, b=None, **k): return self.call('POST', p, b, **k)


def shorten(v):
    if isinstance(v, str) and len(v) > 1000:
        return v[:60] + '...<length %d>' % len(v)
    if isinstance(v, list):
        return [shorten(x) for x in v]
    if isinstance(v, dict):
        return {k: shorten(x) for k, x in v.items()}
    return v


# ---------------------------------------------------------------------------------- groups
def g_http(c):
    c.get('/', note='UI off: fixed text')
    c.get('/nope'); c.get('/v1/nope'); c.get('/v1'); c.get('/v1/')
    c.call('POST', '/v1/catalog/nodes', name='method not allowed')
    c.call('DELETE', '/v1/agent/self'); c.call('POST', '/v1/kv/x'); c.call('HEAD', '/v1/kv/x'); c.call('HEAD', '/v1/catalog/nodes')
    c.call('GET', '/v1/agent/check/pass/x', name='0.x style GET of a PUT endpoint')
    c.call('GET', '/v1/session/create'); c.call('GET', '/v1/agent/join/127.0.0.1'); c.call('GET', '/v1/event/fire/x')
    c.call('OPTIONS', '/v1/kv/x'); c.call('OPTIONS', '/v1/catalog/nodes'); c.call('OPTIONS', '/v1/query'); c.call('OPTIONS', '/v1/query/x'); c.call('OPTIONS', '/v1/query/x/execute')
    c.get('/v1/catalog/nodes?pretty'); c.get('/v1/status/leader?pretty=0')
    c.get('/v1/catalog/nodes?index=abc'); c.get('/v1/catalog/nodes?wait=abc'); c.get('/v1/catalog/nodes?index=-1'); c.get('/v1/catalog/nodes?index=0')
    c.get('/v1/catalog/nodes?stale&consistent'); c.get('/v1/catalog/services?cached&consistent'); c.get('/v1/catalog/nodes?max_stale=x'); c.get('/v1/catalog/nodes?max_stale=5s')
    c.get('/v1/catalog/nodes?stale'); c.get('/v1/catalog/nodes?consistent'); c.get('/v1/catalog/nodes?leader')
    c.get('/v1/catalog/nodes?dc=nope'); c.get('/v1/kv/x?dc=nope'); c.get('/v1/health/service/web?dc=nope')
    c.get('/v1/catalog/services?cached', name='agent cache, first'); c.get('/v1/catalog/services?cached', name='agent cache, second')
    c.get('/v1/catalog/services?cached', headers={'Cache-Control': 'max-age=0'}); c.get('/v1/catalog/services?cached', headers={'Cache-Control': 'max-age=x'})
    c.get('/v1/catalog/nodes?ns=foo', note='OSS ignores or rejects ns'); c.get('/v1/kv/x?ns=foo'); c.get('/v1/kv/x', headers={'X-Consul-Namespace': 'foo'})
    c.put('/v1/catalog/register', {'Node': 'nsn', 'Address': '10.9.9.9', 'Namespace': 'foo'}, name='Namespace in body')
    c.get('/v1/catalog/nodes', headers={'Accept-Encoding': 'gzip'}, name='gzip below the size limit')
    big = 'z' * 3000
    c.put('/v1/kv/big', big); c.get('/v1/kv/big', headers={'Accept-Encoding': 'gzip'}, name='gzip above the size limit'); c.delete('/v1/kv/big')
    c.get('/v1/kv/a%0Ab', name='unprintable character in the path'); c.get('/v1/kv//double'); c.get('/v1//kv/x'); c.get('/v1/kv/a/../b')
    c.get('/v1/catalog/nodes?token=%zz', name='bad query string')
    c.get('/v1/kv/x', headers={'Authorization': 'Bearer nope'}, note='ACLs off: tokens ignored')
    c.put('/v1/agent/token/default', {'Token': 'x'}, name='ACLs off')
    c.put('/v1/agent/service/register', '{bad', name='bad JSON'); c.put('/v1/agent/service/register', '', name='empty body')
    c.put('/v1/agent/service/register', {'Name': 'x', 'Unknown': 1}, name='unknown field'); c.put('/v1/agent/service/deregister/x')


def g_status(c):
    c.get('/v1/status/leader'); c.get('/v1/status/peers'); c.get('/v1/status/leader?dc=nope'); c.get('/v1/status/peers?dc=nope')
    c.get('/v1/operator/raft/configuration'); c.get('/v1/operator/autopilot/configuration'); c.get('/v1/operator/autopilot/health'); c.get('/v1/operator/autopilot/state')
    c.put('/v1/operator/autopilot/configuration?cas=1', {'CleanupDeadServers': True, 'LastContactThreshold': '200ms', 'MaxTrailingLogs': 250, 'ServerStabilizationTime': '10s'})
    c.put('/v1/operator/autopilot/configuration', {'CleanupDeadServers': True, 'LastContactThreshold': '200ms', 'MaxTrailingLogs': 250, 'ServerStabilizationTime': '10s'})
    c.delete('/v1/operator/raft/peer'); c.delete('/v1/operator/raft/peer?id=x&address=y'); c.delete('/v1/operator/raft/peer?address=127.0.0.1:1'); c.delete('/v1/operator/raft/peer?id=nope')
    c.get('/v1/operator/keyring', note='no gossip encryption configured'); c.get('/v1/operator/keyring?relay-factor=9'); c.get('/v1/operator/keyring?local-only=x')
    c.get('/v1/snapshot', raw=True, note='gzip tar, format irrelevant'); c.put('/v1/snapshot', 'garbage')
    c.get('/v1/connect/ca/roots'); c.get('/v1/connect/intentions'); c.get('/v1/config/service-defaults'); c.get('/v1/internal/ui/services'); c.get('/v1/internal/ui/nodes')
    c.get('/v1/catalog/connect/web'); c.get('/v1/health/connect/web')


def g_agent_self(c):
    c.get('/v1/agent/self', name='DebugConfig is cut below'); s = c.steps[-1]['response'].get('json')
    if isinstance(s, dict) and isinstance(s.get('DebugConfig'), dict):
        s['DebugConfig'] = {k: s['DebugConfig'][k] for k in sorted(s['DebugConfig'])[:0]}
    c.get('/v1/agent/members'); c.get('/v1/agent/members?wan=1'); c.get('/v1/agent/members?segment=_all'); c.get('/v1/agent/members?segment=foo'); c.get('/v1/agent/members?wan=1&segment=foo')
    c.get('/v1/agent/metrics'); s = c.steps[-1]['response'].get('json')
    if isinstance(s, dict):
        for k in ('Gauges', 'Counters', 'Samples', 'Points'):
            if s.get(k):
                s[k] = s[k][:1]
    c.get('/v1/agent/metrics?format=prometheus')
    c.get('/v1/agent/host'); s = c.steps[-1]['response'].get('json')
    if isinstance(s, dict):
        if s.get('CPU'):
            s['CPU'] = s['CPU'][:1]
    c.put('/v1/agent/join/127.0.0.1:1'); c.put('/v1/agent/force-leave/nope'); c.put('/v1/agent/force-leave/nope?prune')
    c.put('/v1/agent/reload'); c.put('/v1/agent/maintenance'); c.put('/v1/agent/maintenance?enable=x')
    c.put('/v1/agent/maintenance?enable=true&reason=because'); c.get('/v1/agent/checks'); c.get('/v1/health/node/n1'); c.put('/v1/agent/maintenance?enable=true'); c.get('/v1/agent/checks'); c.put('/v1/agent/maintenance?enable=false'); c.get('/v1/agent/checks')
    c.get('/v1/agent/monitor?loglevel=xyz')
    c.get('/debug/pprof/', note='enable_debug off')


def g_agent_service(c):
    R = '/v1/agent/service/register'
    c.get('/v1/agent/services', name='none registered')
    c.put(R, {'Name': 'min'}, name='smallest'); c.get('/v1/agent/services'); c.get('/v1/agent/service/min'); c.get('/v1/catalog/service/min')
    c.put(R, {'ID': 'web1', 'Name': 'web', 'Tags': ['b', 'a', 'a'], 'Address': '10.1.2.3', 'Port': 8080, 'Meta': {'v': '1'},
              'TaggedAddresses': {'wan': {'Address': '198.18.0.1', 'Port': 80}, 'lan': {'Address': '10.1.2.3', 'Port': 8080}},
              'Weights': {'Passing': 10, 'Warning': 1}, 'EnableTagOverride': True,
              'Check': {'Name': 'alive', 'TTL': '30s', 'Notes': 'hello', 'Status': 'passing'}}, name='full')
    c.get('/v1/agent/services'); c.get('/v1/agent/service/web1'); c.get('/v1/agent/checks'); c.get('/v1/catalog/service/web'); c.get('/v1/health/service/web'); c.get('/v1/catalog/node/n1'); c.get('/v1/catalog/node-services/n1')
    c.put(R, {'ID': 'web2', 'Name': 'web', 'Port': 8081, 'tagged_addresses': {'lan': {'address': '10.0.0.9', 'port': 1}}, 'enable_tag_override': True,
              'Checks': [{'CheckID': 'c-one', 'Name': 'one', 'TTL': '10s'}, {'TTL': '15s'}, {'HTTP': 'http://127.0.0.1:1/x', 'Interval': '10s', 'Timeout': '1s', 'Header': {'X': ['y']}, 'Method': 'POST', 'Body': 'q', 'DeregisterCriticalServiceAfter': '90m'},
                         {'TCP': '127.0.0.1:1', 'Interval': '10s', 'Status': 'warning'}, {'AliasService': 'min'}, {'Args': ['true'], 'Interval': '10s'}, {'GRPC': '127.0.0.1:1/svc', 'Interval': '10s'}]}, name='snake case aliases, many checks, default ids')
    time.sleep(0.5)
    c.get('/v1/agent/service/web2'); c.get('/v1/agent/checks', name='ids of unnamed checks; outputs and states of the probing ones vary in time'); c.get('/v1/health/checks/web', name='states vary in time')
    c.put(R, {'ID': 'web2', 'Name': 'web', 'Port': 8082}, name='re-register without checks keeps them'); c.get('/v1/agent/health/service/id/web2', name='states vary in time')
    c.put(R + '?replace-existing-checks=true', {'ID': 'web2', 'Name': 'web', 'Port': 8082, 'Check': {'CheckID': 'only', 'TTL': '5m', 'Status': 'warning'}}, name='replace-existing-checks'); c.get('/v1/agent/checks')
    for p in ('/v1/agent/health/service/id/web1', '/v1/agent/health/service/id/web2', '/v1/agent/health/service/id/min', '/v1/agent/health/service/name/web', '/v1/agent/health/service/name/min'):
        c.get(p); c.get(p + '?format=text')
    c.get('/v1/agent/health/service/id/nope'); c.get('/v1/agent/health/service/id/nope?format=text'); c.get('/v1/agent/health/service/name/nope'); c.get('/v1/agent/health/service/name/nope?format=text')
    c.get('/v1/agent/health/service/id/'); c.get('/v1/agent/health/service/name/'); c.get('/v1/agent/health/service/name/web', headers={'Accept': 'text/plain'})
    for n, b in (('no name', {'ID': 'x'}), ('address 0.0.0.0', {'Name': 'x', 'Address': '0.0.0.0'}), ('address ::', {'Name': 'x', 'Address': '::'}), ('weights 0', {'Name': 'x', 'Weights': {'Passing': 0, 'Warning': 1}}), ('weights -1', {'Name': 'x', 'Weights': {'Passing': 1, 'Warning': -1}}), ('weights big', {'Name': 'x', 'Weights': {'Passing': 70000}}),
                 ('meta key', {'Name': 'x', 'Meta': {'a b': 'c'}}), ('meta prefix', {'Name': 'x', 'Meta': {'consul-x': 'c'}}), ('meta blank', {'Name': 'x', 'Meta': {'': 'c'}}), ('meta long value', {'Name': 'x', 'Meta': {'k': 'v' * 513}}), ('meta 65 keys', {'Name': 'x', 'Meta': {'k%d' % i: 'v' for i in range(65)}}),
                 ('check without a type', {'Name': 'x', 'Check': {'Name': 'y'}}), ('check ttl and interval', {'Name': 'x', 'Check': {'TTL': '1s', 'Interval': '1s', 'HTTP': 'http://x'}}), ('check no interval', {'Name': 'x', 'Check': {'HTTP': 'http://x'}}), ('check bad duration', {'Name': 'x', 'Check': {'TTL': 'abc'}}), ('check bad status', {'Name': 'x', 'Check': {'TTL': '1s', 'Status': 'foo'}}), ('port as string', {'Name': 'x', 'Port': '80'}), ('tags null', {'Name': 'tn', 'Tags': None, 'Meta': None}), ('name with dot', {'Name': 'a.b_c'}),
                 ('script key', {'Name': 'x', 'Check': {'Script': 'true', 'Interval': '5s'}}), ('kind', {'Name': 'x', 'Kind': 'foo'})):
        c.put(R, b, name='register: ' + n)
    c.put('/v1/agent/service/deregister/tn'); c.put('/v1/agent/service/deregister/a.b_c'); c.put('/v1/agent/service/deregister/x')
    c.get('/v1/agent/service/nope'); c.put('/v1/agent/service/deregister/nope'); c.put('/v1/agent/service/deregister/')
    c.put('/v1/agent/service/maintenance/web1'); c.put('/v1/agent/service/maintenance/?enable=true'); c.put('/v1/agent/service/maintenance/nope?enable=true'); c.put('/v1/agent/service/maintenance/web1?enable=maybe')
    c.put('/v1/agent/service/maintenance/web1?enable=true&reason=my+reason'); c.get('/v1/agent/checks?filter=CheckID+matches+%22_service_maintenance.*%22'); c.put('/v1/agent/service/maintenance/web1?enable=false')
    c.get('/v1/agent/services?filter=Service+%3D%3D+web'); c.get('/v1/agent/services?filter=b+in+Tags'); c.get('/v1/agent/services?filter=Meta.v+%3D%3D+1'); c.get('/v1/agent/services?filter=xx'); c.get('/v1/agent/services?filter=Nope+%3D%3D+1')
    st, b, h = c.get('/v1/agent/service/min', name='hash blocking: first'); hsh = h.get('X-Consul-ContentHash', '')
    c.get('/v1/agent/service/min?hash=%s&wait=1s' % hsh, name='hash blocking: same hash, waits'); c.get('/v1/agent/service/min?hash=abc&wait=5s', name='hash blocking: other hash')
    for i in ('web1', 'web2', 'min'):
        c.put('/v1/agent/service/deregister/' + i)
    c.get('/v1/agent/services'); c.get('/v1/agent/checks')


def g_agent_check(c):
    R = '/v1/agent/check/register'
    c.put(R, {'Name': 'node ttl', 'TTL': '1h', 'Notes': 'n'}); c.put(R, {'ID': 'i1', 'Name': 'x', 'TTL': '1h', 'Status': 'passing'}); c.get('/v1/agent/checks'); c.get('/v1/health/node/n1')
    c.put('/v1/agent/check/pass/i1?note=fine'); c.get('/v1/agent/checks?filter=CheckID+%3D%3D+i1'); c.put('/v1/agent/check/warn/i1'); c.put('/v1/agent/check/fail/i1?note=bad'); c.get('/v1/health/node/n1?filter=CheckID+%3D%3D+i1')
    c.put('/v1/agent/check/update/i1', {'Status': 'passing', 'Output': 'x' * 5000}, name='long output'); c.get('/v1/agent/checks?filter=CheckID+%3D%3D+i1')
    c.put('/v1/agent/check/update/i1', {'Status': 'nope'}); c.put('/v1/agent/check/update/i1', '{'); c.put('/v1/agent/check/update/nope', {'Status': 'passing'}); c.put('/v1/agent/check/pass/nope')
    c.put(R, {'Name': 'h', 'HTTP': 'http://127.0.0.1:1/', 'Interval': '10s'}); c.put('/v1/agent/check/pass/h', name='pass on a non-TTL check')
    for n, b in (('no name', {'TTL': '1s'}), ('bad status', {'Name': 'x', 'TTL': '1s', 'Status': 'no'}), ('no type', {'Name': 'x'}), ('unknown service', {'Name': 'x', 'TTL': '1s', 'ServiceID': 'nope'}), ('ttl+interval', {'Name': 'x', 'TTL': '1s', 'Interval': '1s', 'TCP': 'a:1'}), ('alias with ttl', {'Name': 'x', 'TTL': '1s', 'AliasNode': 'n1'}), ('interval as number (ns)', {'Name': 'num', 'TCP': '127.0.0.1:1', 'Interval': 10000000000}), ('interval 100ms', {'Name': 'fast', 'TCP': '127.0.0.1:1', 'Interval': '100ms'}), ('script', {'Name': 's', 'Script': 'true', 'Interval': '10s'}), ('args', {'Name': 'a', 'Args': ['sh', '-c', 'echo out; exit 1'], 'Interval': '10s'}), ('alias of an unknown service', {'Name': 'al', 'AliasService': 'nosuch'}), ('output size 0 <', {'Name': 'o', 'TTL': '1s', 'OutputMaxSize': -1}), ('negative interval', {'Name': 'ni', 'HTTP': 'http://x', 'Interval': '-1s'}), ('docker', {'Name': 'd', 'DockerContainerID': 'x', 'Args': ['true'], 'Interval': '10s'}), ('status empty', {'Name': 'se', 'TTL': '1h', 'Status': ''})):
        c.put(R, b, name='check register: ' + n)
    time.sleep(3.5)
    c.get('/v1/agent/checks', name='probing results vary')
    for i in ('node%20ttl', 'i1', 'h', 'num', 'fast', 'a', 'al', 'd', 'se', 'x', 'nope', ''):
        c.put('/v1/agent/check/deregister/' + i)
    c.get('/v1/agent/checks')


def g_catalog(c):
    R, D = '/v1/catalog/register', '/v1/catalog/deregister'
    c.get('/v1/catalog/datacenters'); c.get('/v1/catalog/nodes'); c.get('/v1/catalog/services'); c.get('/v1/catalog/service/consul'); c.get('/v1/catalog/node/n1'); c.get('/v1/catalog/node-services/n1')
    c.get('/v1/catalog/service/nope'); c.get('/v1/catalog/node/nope'); c.get('/v1/catalog/node-services/nope'); c.get('/v1/catalog/service/'); c.get('/v1/catalog/node/')
    for n, b in (('empty', {}), ('no address', {'Node': 'e1'}), ('no node', {'Address': '1.2.3.4'}), ('bad id', {'Node': 'e1', 'Address': '1.2.3.4', 'ID': 'x'}), ('service id without name', {'Node': 'e1', 'Address': '1.2.3.4', 'Service': {'ID': 'x'}}), ('service any address', {'Node': 'e1', 'Address': '1.2.3.4', 'Service': {'Service': 'x', 'Address': '0.0.0.0'}}), ('check node mismatch', {'Node': 'e1', 'Address': '1.2.3.4', 'Check': {'Node': 'other', 'Name': 'c', 'CheckID': 'c'}}), ('check unknown service', {'Node': 'e1', 'Address': '1.2.3.4', 'Check': {'Name': 'c', 'ServiceID': 'nope'}}), ('bad json', None)):
        c.put(R, b if b is not None else '{"Node":', name='register: ' + n)
    full = {'Datacenter': 'dc1', 'ID': '40e4a748-2192-161a-0510-9bf59fe950b5', 'Node': 'foo', 'Address': '192.168.10.10', 'TaggedAddresses': {'lan': '192.168.10.10', 'wan': '10.0.10.10'}, 'NodeMeta': {'somekey': 'somevalue'},
            'Service': {'ID': 'redis1', 'Service': 'redis', 'Tags': ['primary', 'v1'], 'Address': '127.0.0.1', 'TaggedAddresses': {'lan': {'address': '127.0.0.1', 'port': 8000}}, 'Meta': {'redis_version': '4.0'}, 'Port': 8000},
            'Check': {'Node': 'foo', 'CheckID': 'service:redis1', 'Name': 'Redis health check', 'Notes': 'Script based health check', 'Status': 'passing', 'ServiceID': 'redis1', 'Definition': {'TCP': 'localhost:8888', 'Interval': '5s', 'Timeout': '1s', 'DeregisterCriticalServiceAfter': '30s'}}}
    c.put(R, full, name='full'); c.get('/v1/catalog/nodes'); c.get('/v1/catalog/node/foo'); c.get('/v1/catalog/node-services/foo'); c.get('/v1/catalog/service/redis'); c.get('/v1/catalog/services'); c.get('/v1/health/node/foo'); c.get('/v1/health/service/redis')
    i1 = c.get('/v1/catalog/service/redis', name='index before an identical registration')[2].get('X-Consul-Index'); c.put(R, full, name='identical again: no index change'); c.get('/v1/catalog/service/redis')
    c.put(R, {'Node': 'bar', 'Address': '192.168.10.11', 'Service': {'Service': 'redis', 'Port': 8001}}, name='no id, no tags'); c.put(R, {'Node': 'bar', 'Address': '192.168.10.11', 'Checks': [{'Name': 'nodecheck'}, {'CheckID': 'warn', 'Status': 'warning', 'Name': 'w'}]}, name='checks list, default status')
    c.get('/v1/health/node/bar'); c.get('/v1/health/service/redis'); c.get('/v1/catalog/service/redis')
    c.put(R, {'Node': 'bar', 'SkipNodeUpdate': True, 'Service': {'ID': 's2', 'Service': 'other', 'Tags': ['x']}}, name='SkipNodeUpdate')
    c.put(R, {'Node': 'foo2', 'Address': '192.168.10.12', 'ID': '40e4a748-2192-161a-0510-9bf59fe950b5'}, name='same id, other name: rename'); c.get('/v1/catalog/nodes')
    c.put(R, {'Node': 'bar', 'Address': '192.168.10.12', 'ID': '40e4a748-2192-161a-0510-9bf59fe950b5'}, name='rename onto a taken name'); c.put(R, {'Node': 'N1', 'Address': '192.168.10.13', 'ID': '50e4a748-2192-161a-0510-9bf59fe950b5'}, name='case-insensitive clash with a live node')
    c.put(R, full, name='foo again')
    for q in ('?tag=primary', '?tag=PRIMARY', '?tag=primary&tag=v1', '?tag=primary&tag=zz', '?tag=', '?node-meta=somekey:somevalue', '?node-meta=somekey:zz', '?near=_agent', '?near=nope', '?filter=ServicePort+%3D%3D+8000', '?filter=%22primary%22+in+ServiceTags', '?filter=NodeMeta.somekey+%3D%3D+somevalue', '?filter=ServiceMeta.redis_version+is+not+empty', '?filter=bad+', '?filter=Foo+%3D%3D+x'):
        c.get('/v1/catalog/service/redis' + q)
    c.get('/v1/catalog/nodes?node-meta=somekey:somevalue'); c.get('/v1/catalog/nodes?filter=Meta.somekey+%3D%3D+somevalue'); c.get('/v1/catalog/services?node-meta=somekey:somevalue'); c.get('/v1/catalog/node/foo?filter=Service+%3D%3D+redis'); c.get('/v1/catalog/node/foo?filter=Service+%3D%3D+zz')
    c.get('/v1/catalog/nodes?near=n1', name='near a node with a coordinate'); c.get('/v1/catalog/node/40e4a748-2192-161a-0510-9bf59fe950b5', name='lookup by node id'); c.get('/v1/catalog/node/40e4a748-2192', name='lookup by id prefix'); c.get('/v1/catalog/node/FOO', name='other case')
    c.put(D, {}); c.put(D, {'Node': 'nope'}); c.put(D, '{'); c.put(D, {'Node': 'foo', 'CheckID': 'service:redis1'}); c.get('/v1/health/node/foo'); c.put(D, {'Node': 'foo', 'ServiceID': 'redis1'}); c.get('/v1/catalog/node/foo')
    c.put(D, {'Datacenter': 'dc1', 'Node': 'foo'}); c.put(D, {'Node': 'bar'}); c.put(D, {'Node': 'foo2'}); c.put(D, {'Node': 'e1'}); c.put(D, {'Node': 'nsn'}); c.get('/v1/catalog/nodes'); c.get('/v1/catalog/services'); c.get('/v1/catalog/service/redis', name='index after the last instance went')


def g_health(c):
    R = '/v1/catalog/register'
    c.put(R, {'Node': 'h1', 'Address': '10.0.0.1', 'NodeMeta': {'os': 'linux'}, 'Service': {'ID': 'api1', 'Service': 'api', 'Port': 1, 'Tags': ['blue', 'x']}, 'Checks': [{'Name': 'nodeok', 'CheckID': 'nodeok', 'Status': 'passing'}, {'Name': 'svc', 'CheckID': 'svc1', 'ServiceID': 'api1', 'Status': 'passing'}]})
    c.put(R, {'Node': 'h2', 'Address': '10.0.0.2', 'Service': {'ID': 'api2', 'Service': 'api', 'Port': 2, 'Tags': ['Blue']}, 'Checks': [{'Name': 'svc', 'CheckID': 'svc2', 'ServiceID': 'api2', 'Status': 'warning'}]})
    c.put(R, {'Node': 'h3', 'Address': '10.0.0.3', 'Service': {'ID': 'api3', 'Service': 'api', 'Port': 3, 'Tags': []}, 'Checks': [{'Name': 'svc', 'CheckID': 'svc3', 'ServiceID': 'api3', 'Status': 'critical'}]})
    c.put(R, {'Node': 'h4', 'Address': '10.0.0.4', 'Service': {'ID': 'api4', 'Service': 'api', 'Port': 4}})
    for q in ('', '?passing', '?passing=1', '?passing=false', '?passing=maybe', '?tag=blue', '?tag=blue&tag=x', '?node-meta=os:linux', '?filter=Checks.Status+%3D%3D+critical', '?filter=Node.Meta.os+%3D%3D+linux', '?filter=Service.Port+%3D%3D+2', '?filter=Service.Tags+is+empty', '?filter=Checks.Nope+%3D%3D+1', '?near=_agent', '?cached', '?stale', '?dc=dc1'):
        c.get('/v1/health/service/api' + q)
    c.get('/v1/health/service/nope'); c.get('/v1/health/service/'); c.get('/v1/health/service/consul')
    for p in ('/v1/health/checks/api', '/v1/health/checks/nope', '/v1/health/checks/', '/v1/health/checks/api?node-meta=os:linux', '/v1/health/checks/api?filter=Status+%3D%3D+passing', '/v1/health/node/h1', '/v1/health/node/nope', '/v1/health/node/', '/v1/health/state/any', '/v1/health/state/passing', '/v1/health/state/warning', '/v1/health/state/critical', '/v1/health/state/unknown', '/v1/health/state/', '/v1/health/state/foo', '/v1/health/state/any?filter=Node+%3D%3D+h1', '/v1/health/state/any?node-meta=os:linux', '/v1/health/state/any?near=_agent'):
        c.get(p)
    for n in ('h1', 'h2', 'h3', 'h4'):
        c.put('/v1/catalog/deregister', {'Node': n})


def g_blocking(c):
    c.put('/v1/catalog/register', {'Node': 'b1', 'Address': '10.0.0.1', 'Service': {'ID': 'bs1', 'Service': 'bs', 'Port': 1}})
    def idx(p): return int(c.get(p, keep=False)[2].get('X-Consul-Index', '0'))
    i = idx('/v1/health/service/bs')
    c.get('/v1/health/service/bs?index=%d&wait=1s' % i, name='times out after wait + up to wait/16, same index')
    c.get('/v1/health/service/bs?index=%d&wait=5s' % (i - 1), name='older index: at once'); c.get('/v1/health/service/bs?index=%d&wait=1s' % (i + 100000), name='index from the future: waits, returns the real index')
    c.get('/v1/health/service/bs?index=0&wait=5s', name='index 0 never blocks')
    # wake-up by a change of the service itself
    def later(f, d=0.7):
        t = threading.Timer(d, f); t.start(); return t
    q = Client('http://%s:%d' % (c.host, c.port), c.token)
    t = later(lambda: q.put('/v1/catalog/register', {'Node': 'b1', 'Address': '10.0.0.1', 'Service': {'ID': 'bs1', 'Service': 'bs', 'Port': 2}}))
    c.get('/v1/health/service/bs?index=%d&wait=10s' % i, name='woken by a change of the service'); t.join()
    i = idx('/v1/health/service/bs')
    t = later(lambda: q.put('/v1/catalog/register', {'Node': 'b1', 'Address': '10.0.0.1', 'Service': {'ID': 'o1', 'Service': 'other', 'Port': 2}}))
    c.get('/v1/health/service/bs?index=%d&wait=2s' % i, name='a change of another service on the same node does not wake it, nor move its index'); t.join()
    t = later(lambda: q.put('/v1/catalog/register', {'Node': 'b1', 'Address': '10.0.0.1', 'Checks': [{'CheckID': 'nc', 'Name': 'nc', 'Status': 'passing'}]}))
    c.get('/v1/health/service/bs?index=%d&wait=10s' % i, name='woken by a node check'); t.join(); i = idx('/v1/health/service/bs')
    i2 = idx('/v1/catalog/service/bs')
    t = later(lambda: q.put('/v1/catalog/register', {'Node': 'b1', 'Address': '10.0.0.1', 'Checks': [{'CheckID': 'nc', 'Name': 'nc', 'Status': 'warning'}]}))
    c.get('/v1/catalog/service/bs?index=%d&wait=3s' % i2, name='catalog/service: does a node check wake it?'); t.join()
    i = idx('/v1/health/service/absent')
    c.get('/v1/health/service/absent?index=%d&wait=1s' % i, name='absent service: index of the last extinction')
    t = later(lambda: q.put('/v1/catalog/register', {'Node': 'b1', 'Address': '10.0.0.1', 'Service': {'ID': 'ab', 'Service': 'absent'}}))
    c.get('/v1/health/service/absent?index=%d&wait=10s' % i, name='absent service appears'); t.join()
    i = idx('/v1/health/service/absent')
    t = later(lambda: q.put('/v1/catalog/deregister', {'Node': 'b1', 'ServiceID': 'ab'}))
    c.get('/v1/health/service/absent?index=%d&wait=10s' % i, name='service goes'); t.join()
    i = idx('/v1/kv/blk/a')
    t = later(lambda: q.put('/v1/kv/blk/b', 'x'))
    c.get('/v1/kv/blk/a?index=%d&wait=2s' % i, name='kv: absent key, another key under it changes'); t.join()
    q.put('/v1/kv/blk/a', '1'); i = idx('/v1/kv/blk/a')
    t = later(lambda: q.put('/v1/kv/blk/a', '1'))
    c.get('/v1/kv/blk/a?index=%d&wait=2s' % i, name='kv: same value written again: not woken'); t.join()
    t = later(lambda: q.delete('/v1/kv/blk/a'))
    c.get('/v1/kv/blk/a?index=%d&wait=10s' % i, name='kv: deleted: 404 with a newer index'); t.join()
    i = idx('/v1/kv/blk/?recurse')
    t = later(lambda: q.put('/v1/kv/other', 'x'))
    c.get('/v1/kv/blk/?recurse&index=%d&wait=2s' % i, name='kv recurse: change outside the prefix'); t.join()
    t = later(lambda: q.delete('/v1/kv/blk/?recurse'))
    c.get('/v1/kv/blk/?recurse&index=%d&wait=10s' % i, name='kv recurse: tree deleted'); t.join()
    c.get('/v1/kv/blk/?recurse', name='kv recurse: nothing left, index = tombstone'); c.delete('/v1/kv/other')
    i = idx('/v1/catalog/services')
    c.get('/v1/catalog/services?index=%d&wait=1s' % i)
    t = later(lambda: q.put('/v1/catalog/register', {'Node': 'b1', 'Address': '10.0.0.1', 'Service': {'ID': 'bs1', 'Service': 'bs', 'Port': 77}}))
    c.get('/v1/catalog/services?index=%d&wait=5s' % i, name='catalog/services: an instance changes its port'); t.join()
    c.get('/v1/status/leader?index=1&wait=5s', name='status: no blocking'); c.get('/v1/agent/services?index=1&wait=5s', name='agent/services: no index blocking')
    c.put('/v1/catalog/deregister', {'Node': 'b1'})


def g_kv(c):
    K = '/v1/kv/'
    c.get(K + 'none'); c.get(K + 'none?recurse'); c.get(K + 'none?keys'); c.get(K + '?keys'); c.get(K + '?recurse'); c.get(K); c.put(K, 'x'); c.delete(K); c.get(K + 'none?raw')
    c.put(K + 'a', 'hello'); c.get(K + 'a'); c.get(K + 'a?raw'); c.put(K + 'a?flags=42', 'hello2'); c.get(K + 'a'); c.put(K + 'a?flags=x', 'h'); c.put(K + 'a?flags=-1', 'h'); c.put(K + 'a?flags=18446744073709551615', 'h'); c.get(K + 'a')
    c.put(K + 'empty', ''); c.get(K + 'empty', note='empty value is null'); c.get(K + 'empty?raw'); c.put(K + 'bin', b'\x00\xff\x01'); c.get(K + 'bin')
    st, b, h = c.get(K + 'a'); mi = b[0]['ModifyIndex'] if isinstance(b, list) and b else 1
    c.put(K + 'a?cas=0', 'n', name='cas=0 on an existing key'); c.put(K + 'a?cas=%d' % mi, 'cas-ok'); c.put(K + 'a?cas=%d' % mi, 'cas-stale'); c.put(K + 'new?cas=0', 'n', name='cas=0 on a new key'); c.put(K + 'a?cas=x', 'n'); c.put(K + 'nokey?cas=99', 'n'); c.get(K + 'a?raw')
    c.put(K + 'd/1', '1'); c.put(K + 'd/2/x', '2'); c.put(K + 'd/2/y', '3'); c.put(K + 'd/', 'dir'); c.put(K + 'e', '4')
    for q in ('d/?keys', 'd/?keys&separator=/', '?keys&separator=/', 'd?keys&separator=/', 'd/?keys&seperator=/', 'd/?keys&separator=', 'd/?recurse', 'd?recurse', 'zz/?keys', 'zz/?recurse', 'd/2/?keys&separator=x', 'd/?recurse&keys', 'd/?recurse&raw', 'd/1?stale', 'd/1?consistent'):
        c.get(K + q)
    c.put(K + 'sp%20ace%2Fslash', 'v'); c.get(K + 'sp%20ace/slash'); c.get(K + '?keys'); c.put(K + 'caf%C3%A9', 'u'); c.get(K + 'caf%C3%A9'); c.put(K + '/lead', 'x'); c.get(K + '/lead')
    c.put(K + 'a?cas=1&acquire=x', 'v', name='conflicting flags'); c.put(K + 'a?acquire=x&release=x', 'v'); c.delete(K + 'a?recurse&cas=1'); c.put(K + 'a?acquire=nope', 'v', name='unknown session'); c.put(K + 'a?acquire=', 'v'); c.put(K + 'a?release=nope', 'v'); c.put(K + 'nokey2?release=nope', 'v')
    c.put(K + 'max', 'm' * 524288, name='exactly 512 KiB'); c.put(K + 'max', 'm' * 524289, name='one byte more'); c.delete(K + 'max')
    c.delete(K + 'a?cas=1'); c.delete(K + 'a?cas=x'); c.delete(K + 'nokey?cas=7', name='delete cas of an absent key'); c.delete(K + 'e?cas=0', name='delete cas=0'); c.get(K + 'e'); c.delete(K + 'a'); c.delete(K + 'a', name='delete of an absent key'); c.delete(K + 'd/?recurse'); c.get(K + 'd/?keys'); c.delete(K + '?recurse', name='everything'); c.get(K + '?keys')
    c.put(K + 'a?dc=dc1', 'x'); c.put(K + 'a?dc=nope', 'x'); c.delete(K + 'a')


def g_session(c):
    S = '/v1/session/'
    c.get(S + 'list'); c.get(S + 'info/00000000-0000-0000-0000-000000000000'); c.get(S + 'info/nope'); c.get(S + 'info/'); c.get(S + 'node/n1'); c.get(S + 'node/nope'); c.get(S + 'node/'); c.put(S + 'renew/nope'); c.put(S + 'renew/'); c.put(S + 'destroy/nope'); c.put(S + 'destroy/')
    st, b, h = c.put(S + 'create', name='no body'); s0 = b.get('ID') if isinstance(b, dict) else ''
    c.get(S + 'info/' + s0); c.get(S + 'list'); c.get(S + 'node/n1'); c.put(S + 'renew/' + s0); c.put(S + 'destroy/' + s0); c.put(S + 'destroy/' + s0, name='destroy again'); c.get(S + 'info/' + s0); c.put(S + 'renew/' + s0)
    for n, b in (('full', {'LockDelay': '5s', 'Name': 'my', 'Node': 'n1', 'Checks': ['serfHealth'], 'Behavior': 'delete', 'TTL': '30s'}), ('lock delay number < 1000 = seconds', {'LockDelay': 20}), ('lock delay number = ns', {'LockDelay': 20000000000}), ('lock delay 0', {'LockDelay': '0s'}), ('lock delay 90s', {'LockDelay': '90s'}), ('no checks', {'Checks': []}), ('node checks empty', {'NodeChecks': []}), ('checks null', {'Checks': None}), ('ttl 9s', {'TTL': '9s'}), ('ttl 10s', {'TTL': '10s'}), ('ttl 86401s', {'TTL': '86401s'}), ('ttl 86400s', {'TTL': '86400s'}), ('ttl bad', {'TTL': 'abc'}), ('ttl number', {'TTL': 15}), ('ttl 0', {'TTL': '0s'}), ('behavior bad', {'Behavior': 'foo'}), ('unknown node', {'Node': 'nope'}), ('unknown check', {'Checks': ['nope']}), ('unknown NodeChecks', {'NodeChecks': ['nope']}), ('service check unknown', {'ServiceChecks': [{'ID': 'nope'}]}), ('id given', {'ID': '11111111-1111-1111-1111-111111111111', 'Name': 'z'}), ('empty object', {}), ('bad lock delay', {'LockDelay': 'x'})):
        st, b2, h = c.put(S + 'create', b, name='create: ' + n)
        if isinstance(b2, dict) and 'ID' in b2:
            c.get(S + 'info/' + b2['ID']); c.put(S + 'destroy/' + b2['ID'], keep=False)
    c.put(S + 'create', '{bad', name='bad json')
    # locks
    a = c.put(S + 'create', {'Name': 'A', 'LockDelay': '2s'})[1]['ID']; b = c.put(S + 'create', {'Name': 'B', 'LockDelay': '0s'})[1]['ID']; d = c.put(S + 'create', {'Name': 'D', 'Behavior': 'delete', 'LockDelay': '0s'})[1]['ID']
    K = '/v1/kv/lk'
    c.put(K + '?acquire=' + a, 'one'); c.get(K); c.put(K + '?acquire=' + a, 'two', name='re-acquire by the holder: LockIndex unchanged'); c.put(K + '?acquire=' + b, 'three', name='held by another'); c.put(K, 'plain', name='plain put on a locked key'); c.get(K); c.put(K + '?release=' + b, 'x', name='release by a non-holder'); c.put(K + '?release=' + a, 'rel'); c.get(K); c.put(K + '?acquire=' + b, 'four', name='no lock delay after a release'); c.get(K); c.put(K + '?release=' + b, 'rel2')
    c.put(K + '?acquire=' + a, 'five'); c.put(S + 'destroy/' + a); c.get(K, name='after the holder was destroyed: no Session, LockIndex kept'); c.put(K + '?acquire=' + b, 'six', name='inside the lock delay'); time.sleep(2.2); c.put(K + '?acquire=' + b, 'six', name='after the lock delay'); c.get(K)
    c.put('/v1/kv/lkd?acquire=' + d, 'x'); c.put(S + 'destroy/' + d); c.get('/v1/kv/lkd', name='behavior delete')
    c.delete(K, name='delete of a locked key'); c.get(K); c.put(S + 'destroy/' + b)
    # session bound to a check
    c.put('/v1/agent/check/register', {'ID': 'sc', 'Name': 'sc', 'TTL': '1h', 'Status': 'critical'}); c.put(S + 'create', {'NodeChecks': ['serfHealth', 'sc']}, name='critical check'); c.put('/v1/agent/check/pass/sc')
    e = c.put(S + 'create', {'NodeChecks': ['serfHealth', 'sc']})[1]; e = e.get('ID', '') if isinstance(e, dict) else ''
    c.put('/v1/agent/check/fail/sc'); time.sleep(0.3); c.get(S + 'info/' + e, name='gone with its check'); c.put('/v1/agent/check/deregister/sc')


def g_txn(c):
    T = '/v1/txn'
    b64 = lambda s: base64.b64encode(s.encode()).decode()
    c.put(T, [{'KV': {'Verb': 'set', 'Key': 'tx/a', 'Value': b64('va'), 'Flags': 7}}, {'KV': {'Verb': 'get', 'Key': 'tx/a'}}, {'KV': {'Verb': 'get-tree', 'Key': 'tx/'}}]); mi = 1
    st, b, h = c.put(T, [{'KV': {'Verb': 'get', 'Key': 'tx/a'}}], name='reads only')
    try: mi = b['Results'][0]['KV']['ModifyIndex']
    except Exception: pass
    c.put(T, [{'KV': {'Verb': 'cas', 'Key': 'tx/a', 'Value': b64('vb'), 'Index': mi}}]); c.put(T, [{'KV': {'Verb': 'cas', 'Key': 'tx/a', 'Value': b64('vb'), 'Index': mi}}], name='stale cas: 409')
    c.put(T, [{'KV': {'Verb': 'set', 'Key': 'tx/roll', 'Value': b64('x')}}, {'KV': {'Verb': 'check-index', 'Key': 'tx/a', 'Index': 1}}], name='roll back'); c.get('/v1/kv/tx/roll')
    for v, extra in (('get', {'Key': 'tx/no'}), ('check-not-exists', {'Key': 'tx/a'}), ('check-not-exists', {'Key': 'tx/no'}), ('check-session', {'Key': 'tx/a', 'Session': 'x'}), ('lock', {'Key': 'tx/a', 'Session': 'nope'}), ('unlock', {'Key': 'tx/a', 'Session': 'nope'}), ('delete-cas', {'Key': 'tx/a', 'Index': 1}), ('delete', {'Key': 'tx/no'}), ('foo', {'Key': 'tx/a'}), ('set', {'Key': ''}), ('delete-tree', {'Key': 'tx/'})):
        c.put(T, [{'KV': dict(extra, Verb=v)}], name='kv ' + v)
    c.put(T, [], name='empty list'); c.put(T, '{}', name='not a list'); c.put(T, [{}], name='empty op'); c.put(T, [{'KV': {'Verb': 'set', 'Key': 'x', 'Value': '!!'}}], name='bad base64'); c.put(T, [{'KV': {'Verb': 'set', 'Key': 'tx/%d' % i, 'Value': b64('1')}} for i in range(65)], name='65 ops'); c.put(T, [{'KV': {'Verb': 'set', 'Key': 'tx/%d' % i, 'Value': b64('1')}} for i in range(64)], name='64 ops')
    c.put(T, [{'Node': {'Verb': 'set', 'Node': {'Node': 'txn1', 'Address': '10.0.0.9', 'ID': '67539c9d-b948-ba67-edd4-d07a676d6673'}}}, {'Service': {'Verb': 'set', 'Node': 'txn1', 'Service': {'ID': 'ts', 'Service': 'ts', 'Port': 1}}}, {'Check': {'Verb': 'set', 'Check': {'Node': 'txn1', 'CheckID': 'tc', 'Name': 'tc', 'Status': 'passing', 'ServiceID': 'ts', 'Definition': {'TCP': 'a:1', 'Interval': '10s'}}}}], name='catalog ops')
    c.put(T, [{'Node': {'Verb': 'get', 'Node': {'Node': 'txn1'}}}, {'Service': {'Verb': 'get', 'Node': 'txn1', 'Service': {'ID': 'ts'}}}, {'Check': {'Verb': 'get', 'Check': {'Node': 'txn1', 'CheckID': 'tc'}}}]); c.put(T, [{'Service': {'Verb': 'get', 'Node': 'txn1', 'Service': {'ID': 'no'}}}, {'Node': {'Verb': 'get', 'Node': {'Node': 'no'}}}, {'Check': {'Verb': 'get', 'Check': {'Node': 'txn1', 'CheckID': 'no'}}}], name='absent')
    c.put(T, [{'Node': {'Verb': 'delete', 'Node': {'Node': 'txn1'}}}]); c.call('POST', T); c.delete('/v1/kv/tx/?recurse')


def g_event(c):
    E = '/v1/event/'
    c.get(E + 'list', name='none yet'); c.put(E + 'fire/'); c.put(E + 'fire/deploy', 'payload-1'); c.put(E + 'fire/other'); time.sleep(0.5); c.get(E + 'list'); c.get(E + 'list?name=deploy'); c.get(E + 'list?name=zz'); c.put(E + 'fire/flt?node=n.*&service=web&tag=x', 'q'); c.put(E + 'fire/bad?node=%5B', 'q', name='bad regex'); c.put(E + 'fire/bad?tag=x', 'q', name='tag without service'); c.put(E + 'fire/big', 'x' * 600, name='600 bytes'); c.put(E + 'fire/dc?dc=nope', 'x')
    time.sleep(0.4); st, b, h = c.get(E + 'list?name=deploy'); i = h.get('X-Consul-Index'); c.get(E + 'list?name=deploy&index=%s&wait=1s' % i)


def g_query(c):
    Q = '/v1/query'
    c.put('/v1/catalog/register', {'Node': 'q1', 'Address': '10.0.0.1', 'NodeMeta': {'z': '1'}, 'Service': {'ID': 'pq1', 'Service': 'pq', 'Port': 1, 'Tags': ['a', 'b'], 'Meta': {'m': '1'}}, 'Checks': [{'Name': 's', 'CheckID': 's1', 'ServiceID': 'pq1', 'Status': 'passing'}]})
    c.put('/v1/catalog/register', {'Node': 'q2', 'Address': '10.0.0.2', 'Service': {'ID': 'pq2', 'Service': 'pq', 'Port': 2, 'Tags': ['a']}, 'Checks': [{'Name': 's', 'CheckID': 's2', 'ServiceID': 'pq2', 'Status': 'warning'}]})
    c.get(Q); full = {'Name': 'my-query', 'Service': {'Service': 'pq', 'Failover': {'NearestN': 2, 'Datacenters': ['dc1']}, 'Near': '', 'OnlyPassing': False, 'Tags': ['a', '!c'], 'NodeMeta': {'z': '1'}, 'ServiceMeta': {'m': '1'}}, 'DNS': {'TTL': '10s'}}
    st, b, h = c.post(Q, full, name='full'); i = b.get('ID', 'x') if isinstance(b, dict) else 'x'
    c.get(Q); c.get(Q + '/' + i); c.get(Q + '/my-query', name='get by name'); c.get(Q + '/my-query/execute'); c.get(Q + '/' + i + '/execute?limit=1'); c.get(Q + '/my-query/explain'); c.get(Q + '/nope'); c.get(Q + '/nope/execute'); c.get(Q + '/nope/explain'); c.get(Q + '/00000000-0000-0000-0000-000000000000'); c.get(Q + '/my-query/execute?limit=x')
    c.post(Q, full, name='name taken'); c.post(Q, {}, name='empty'); c.post(Q, {'Service': {'Service': 'pq'}}, name='neither name nor session'); c.post(Q, {'Name': 'e1', 'Service': {}}, name='no service'); c.post(Q, {'Name': 'e2', 'Service': {'Service': 'pq', 'Failover': {'NearestN': -1}}}, name='bad NearestN'); c.post(Q, {'Name': 'e3', 'Service': {'Service': 'pq'}, 'DNS': {'TTL': '-1s'}}, name='negative ttl'); c.post(Q, {'Name': 'e4', 'Service': {'Service': 'pq'}, 'DNS': {'TTL': 'x'}}, name='bad ttl'); c.post(Q, {'Session': 'nope', 'Service': {'Service': 'pq'}}, name='bad session'); c.post(Q, '{', name='bad json'); c.post(Q, {'Name': 'a', 'ID': i, 'Service': {'Service': 'pq'}}, name='id on create')
    st, b, h = c.post(Q, {'Name': 'second', 'Service': {'Service': 'pq'}}, name='short'); j = b.get('ID', 'x') if isinstance(b, dict) else 'x'
    c.get(Q + '/' + j + '/execute'); c.put(Q + '/' + j, {'Name': 'upd', 'Service': {'Service': 'pq', 'OnlyPassing': True}}); c.get(Q + '/' + j); c.get(Q + '/upd/execute'); c.get(Q + '/upd/execute?near=_agent'); c.put(Q + '/00000000-0000-0000-0000-000000000000', {'Service': {'Service': 'pq'}}); c.put(Q + '/nope', {'Service': {'Service': 'pq'}}); c.delete(Q + '/nope'); c.delete(Q + '/' + j); c.delete(Q + '/' + j, name='delete again')
    st, b, h = c.post(Q, {'Name': 'geo-', 'Template': {'Type': 'name_prefix_match', 'Regexp': '^geo-(.*?)-([^\\-]+?)$'}, 'Service': {'Service': '${match(1)}', 'Tags': ['${match(2)}']}}, name='template'); k = b.get('ID', 'x') if isinstance(b, dict) else 'x'
    c.get(Q + '/geo-pq-a/execute'); c.get(Q + '/geo-pq-a/explain'); c.post(Q, {'Name': '', 'Template': {'Type': 'foo'}, 'Service': {'Service': 'x'}}, name='bad template type'); c.get(Q)
    c.call('POST', Q + '/' + i); c.call('PUT', Q); c.call('PUT', Q + '/x/execute')
    for x in (i, k): c.delete(Q + '/' + x)
    c.put('/v1/catalog/deregister', {'Node': 'q1'}); c.put('/v1/catalog/deregister', {'Node': 'q2'})


def g_coordinate(c):
    C = '/v1/coordinate/'
    c.get(C + 'datacenters'); c.get(C + 'nodes'); c.get(C + 'node/n1'); c.get(C + 'node/nope'); c.get(C + 'nodes?segment=x')
    c.put('/v1/catalog/register', {'Node': 'co', 'Address': '10.0.0.1'}); c.put(C + 'update', {'Node': 'co', 'Segment': '', 'Coord': {'Adjustment': 0, 'Error': 1.5, 'Height': 0.001, 'Vec': [0.5, 0, 0, 0, 0, 0, 0, 0]}}); c.put(C + 'update', {'Node': 'co', 'Coord': {'Adjustment': 0, 'Error': 1.5, 'Height': 0, 'Vec': [0, 0]}}, name='wrong dimension'); c.put(C + 'update', {'Node': 'nope', 'Coord': {'Adjustment': 0, 'Error': 1.5, 'Height': 0, 'Vec': [0, 0, 0, 0, 0, 0, 0, 0]}}, name='unknown node'); time.sleep(6); c.get(C + 'node/co'); c.get(C + 'nodes'); c.put('/v1/catalog/deregister', {'Node': 'co'})


def g_acl_off(c):
    A = '/v1/acl/'
    c.put(A + 'bootstrap'); c.get(A + 'tokens'); c.get(A + 'policies'); c.get(A + 'roles'); c.put(A + 'token', {}); c.get(A + 'token/self'); c.put(A + 'create', {}); c.get(A + 'list'); c.get(A + 'info/anonymous'); c.get(A + 'replication'); c.get(A + 'auth-methods'); c.get(A + 'binding-rules'); c.post(A + 'login', {})


def g_acl(c):
    """against a server with acl.enabled, default_policy deny and the given initial management token"""
    A = '/v1/acl/'
    no = {'X-Consul-Token': ''}
    c.put(A + 'bootstrap', name='already bootstrapped by the configured master token'); c.get(A + 'replication', headers=no)
    c.get(A + 'tokens'); c.get(A + 'policies'); c.get(A + 'roles'); c.get(A + 'token/self'); c.get(A + 'token/self', headers={'X-Consul-Token': 'nope'}); c.get(A + 'token/self', headers=no)
    # anonymous with default deny
    for p in ('/v1/catalog/nodes', '/v1/catalog/services', '/v1/health/service/consul', '/v1/kv/x', '/v1/kv/?recurse', '/v1/kv/?keys', '/v1/agent/self', '/v1/agent/members', '/v1/agent/services', '/v1/session/list', '/v1/event/list', '/v1/query', '/v1/status/leader', '/v1/coordinate/nodes', '/v1/operator/raft/configuration', '/v1/snapshot', A + 'tokens', A + 'policies', '/v1/agent/metrics', '/v1/agent/host'):
        c.get(p, headers=no, name='anonymous')
    c.put('/v1/kv/x', 'v', headers=no, name='anonymous'); c.put('/v1/agent/service/register', {'Name': 'x'}, headers=no, name='anonymous'); c.put('/v1/session/create', headers=no, name='anonymous'); c.put('/v1/catalog/register', {'Node': 'x', 'Address': '1.2.3.4'}, headers=no, name='anonymous'); c.put('/v1/event/fire/x', headers=no, name='anonymous'); c.put('/v1/agent/maintenance?enable=true', headers=no, name='anonymous'); c.put('/v1/agent/join/127.0.0.1:1', headers=no, name='anonymous')
    c.get('/v1/kv/x', headers={'X-Consul-Token': 'unknown-token'}, name='unknown token'); c.get('/v1/kv/x?token=unknown-token', name='unknown token, query'); c.get('/v1/kv/x', headers={'Authorization': 'Bearer ' + (c.token or '')}, name='bearer'); c.get('/v1/kv/x?token=' + (c.token or ''), name='token in query')
    st, b, h = c.put(A + 'policy', {'Name': 'kvp', 'Description': 'd', 'Rules': 'key_prefix "app/" { policy = "write" }\nservice "web" { policy = "write" }\nnode_prefix "" { policy = "read" }'}); pid = b.get('ID', 'x') if isinstance(b, dict) else 'x'
    c.put(A + 'policy', {'Name': 'kvp', 'Rules': ''}, name='name taken'); c.put(A + 'policy', {'Name': 'bad name!', 'Rules': ''}, name='bad name'); c.put(A + 'policy', {'Rules': ''}, name='no name'); c.put(A + 'policy', {'Name': 'br', 'Rules': 'key "x" { policy = "foo" }'}, name='bad rules'); c.put(A + 'policy', {'Name': 'br2', 'Rules': 'nope "x" {'}, name='unparsable rules'); c.put(A + 'policy', {'ID': pid, 'Name': 'q'}, name='id on create')
    c.get(A + 'policy/' + pid); c.get(A + 'policy/name/kvp'); c.get(A + 'policy/name/nope'); c.get(A + 'policy/00000000-0000-0000-0000-0000000000ff'); c.put(A + 'policy/' + pid, {'ID': pid, 'Name': 'kvp2', 'Rules': 'key_prefix "app/" { policy = "write" }\nnode_prefix "" { policy = "read" }\nservice "web" { policy = "write" }'}); c.put(A + 'policy/00000000-0000-0000-0000-000000000001', {'Name': 'gm', 'Rules': ''}, name='change the built-in policy'); c.delete(A + 'policy/00000000-0000-0000-0000-000000000001', name='delete the built-in policy')
    st, b, h = c.put(A + 'role', {'Name': 'r1', 'Policies': [{'ID': pid}], 'ServiceIdentities': [{'ServiceName': 'api', 'Datacenters': ['dc1']}], 'NodeIdentities': [{'NodeName': 'nn', 'Datacenter': 'dc1'}]}); rid = b.get('ID', 'x') if isinstance(b, dict) else 'x'
    c.get(A + 'role/' + rid); c.get(A + 'role/name/r1'); c.get(A + 'role/name/nope'); c.get(A + 'roles')
    st, b, h = c.put(A + 'token', {'Description': 't', 'Policies': [{'Name': 'kvp2'}], 'Local': False}); t = b if isinstance(b, dict) else {}
    acc, sec = t.get('AccessorID', 'x'), t.get('SecretID', 'x')
    c.put(A + 'token', {'AccessorID': '6a1253d2-1785-24fd-91c2-f8e78c745511', 'SecretID': '45a3bd52-07c7-47a4-52fd-0745e0cfe967', 'Roles': [{'Name': 'r1'}], 'ExpirationTTL': '1h', 'ServiceIdentities': [{'ServiceName': 'db'}]}, name='given ids, role, expiry'); c.put(A + 'token', {'Policies': [{'Name': 'nope'}]}, name='unknown policy'); c.put(A + 'token', {'AccessorID': 'x'}, name='bad accessor'); c.put(A + 'token', {'AccessorID': acc}, name='accessor taken'); c.put(A + 'token', {'ExpirationTTL': '5s'}, name='expiry too short'); c.put(A + 'token', {}, name='empty token')
    c.get(A + 'token/' + acc); c.get(A + 'token/nope'); c.get(A + 'token/00000000-0000-0000-0000-0000000000ff'); c.put(A + 'token/' + acc, {'Description': 'u', 'Policies': [{'ID': pid}]}); c.put(A + 'token/' + acc + '/clone', {'Description': 'cl'}); c.get(A + 'tokens?policy=' + pid); c.get(A + 'tokens?role=' + rid)
    tk = {'X-Consul-Token': sec}
    c.get(A + 'token/self', headers=tk); c.put('/v1/kv/app/a', 'v', headers=tk); c.put('/v1/kv/other', 'v', headers=tk); c.get('/v1/kv/app/a', headers=tk); c.get('/v1/kv/?keys', headers=tk); c.get('/v1/catalog/services', headers=tk); c.get('/v1/catalog/nodes', headers=tk); c.put('/v1/agent/service/register', {'Name': 'web'}, headers=tk); c.put('/v1/agent/service/register', {'Name': 'nope'}, headers=tk); c.get('/v1/agent/services', headers=tk); c.get(A + 'tokens', headers=tk); c.put('/v1/txn', [{'KV': {'Verb': 'set', 'Key': 'zz', 'Value': ''}}], headers=tk)
    c.put('/v1/agent/service/deregister/web'); c.delete(A + 'token/' + acc); c.delete(A + 'token/' + acc, name='again'); c.get('/v1/kv/app/a', headers=tk, name='deleted token'); c.delete(A + 'token/00000000-0000-0000-0000-000000000002', name='anonymous token'); c.delete(A + 'role/' + rid); c.delete(A + 'policy/' + pid); c.delete(A + 'policy/' + pid, name='again')
    c.put(A + 'token/00000000-0000-0000-0000-000000000002', {'Description': 'anon', 'Policies': []}, name='change the anonymous token')
    c.put('/v1/agent/token/default', {'Token': ''}); c.put('/v1/agent/token/nope', {'Token': 'x'}); c.put('/v1/agent/token/agent', '{')
    c.put(A + 'create', {'Name': 'legacy', 'Type': 'client', 'Rules': 'key "" { policy = "read" }'}, name='legacy API (gone in 1.11+)'); c.get(A + 'list', name='legacy'); c.get(A + 'info/nope', name='legacy'); c.post(A + 'rules/translate', 'key "x" { policy = "read" }', name='legacy translate')
    c.delete('/v1/kv/app/?recurse')


# ---------------------------------------------------------------------------------- DNS
TYPES = {'A': 1, 'NS': 2, 'CNAME': 5, 'SOA': 6, 'PTR': 12, 'TXT': 16, 'AAAA': 28, 'SRV': 33, 'OPT': 41, 'ANY': 255}
RT = {v: k for k, v in TYPES.items()}
RC = {0: 'NOERROR', 1: 'FORMERR', 2: 'SERVFAIL', 3: 'NXDOMAIN', 4: 'NOTIMP', 5: 'REFUSED'}


def dns_query(addr, name, qtype, tcp=False, edns=None, rd=True):
    q = struct.pack('>HHHHHH', random.randrange(65536), 0x0100 if rd else 0, 1, 0, 0, 1 if edns else 0)
    for l in name.rstrip('.').split('.'):
        e = l.encode('latin1'); q += bytes([len(e)]) + e
    q += b'\0' + struct.pack('>HH', TYPES[qtype], 1)
    if edns:
        q += b'\0' + struct.pack('>HHIH', 41, edns, 0, 0)
    if tcp:
        s = socket.create_connection(addr, 5); s.sendall(struct.pack('>H', len(q)) + q); n = struct.unpack('>H', s.recv(2))[0]; d = b''
        while len(d) < n:
            x = s.recv(n - len(d))
            if not x: break
            d += x
    else:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(2); s.sendto(q, addr); d = s.recv(65536)
    s.close()
    return d


def dns_parse(d):
    _, fl, qd, an, ns, ar = struct.unpack('>HHHHHH', d[:12])
    pos = 12
    def nm(p):
        out, end, hops = [], None, 0
        while True:
            n = d[p]
            if n & 0xc0 == 0xc0:
                if end is None: end = p + 2
                p = ((n & 0x3f) << 8) | d[p + 1]; hops += 1
                if hops > 50: raise ValueError('loop')
                continue
            p += 1
            if n == 0: break
            out.append(d[p:p + n].decode('latin1')); p += n
        return '.'.join(out) + '.', (end if end is not None else p)
    for _ in range(qd):
        _, pos = nm(pos); pos += 4
    secs = []
    for cnt in (an, ns, ar):
        l = []
        for _ in range(cnt):
            n, pos = nm(pos); t, cl, ttl, ln = struct.unpack('>HHIH', d[pos:pos + 10]); pos += 10; rd = d[pos:pos + ln]; p0 = pos; pos += ln
            r = {'name': n, 'type': RT.get(t, str(t)), 'ttl': ttl}
            if t == 1: r['data'] = socket.inet_ntoa(rd)
            elif t == 28: r['data'] = socket.inet_ntop(socket.AF_INET6, rd)
            elif t in (2, 5, 12): r['data'] = nm(p0)[0]
            elif t == 33: pr, w, po = struct.unpack('>HHH', rd[:6]); r['data'] = '%d %d %d %s' % (pr, w, po, nm(p0 + 6)[0])
            elif t == 16:
                tx, i = [], 0
                while i < len(rd): tx.append(rd[i + 1:i + 1 + rd[i]].decode('latin1')); i += 1 + rd[i]
                r['data'] = tx
            elif t == 6:
                a, p = nm(p0); b, p = nm(p); se, rf, rt, ex, mi = struct.unpack('>IIIII', d[p:p + 20]); r['data'] = {'mname': a, 'rname': b, 'refresh': rf, 'retry': rt, 'expire': ex, 'minttl': mi}
            elif t == 41: r = {'type': 'OPT', 'udp_size': cl}
            l.append(r)
        secs.append(l)
    return {'rcode': RC.get(fl & 15, fl & 15), 'aa': bool(fl & 0x400), 'tc': bool(fl & 0x200), 'rd': bool(fl & 0x100), 'ra': bool(fl & 0x80), 'answer': secs[0], 'authority': secs[1], 'additional': secs[2], 'bytes': len(d)}


def g_dns(c, dns):
    R = '/v1/catalog/register'
    put = lambda p, b: c.call('PUT', p, b, keep=False)
    put(R, {'Node': 'd1', 'Address': '10.0.0.1', 'TaggedAddresses': {'wan': '198.18.0.1'}, 'NodeMeta': {'rfc1035-foo': 'plain', 'k': 'v w'}, 'Service': {'ID': 'w1', 'Service': 'dweb', 'Port': 81, 'Tags': ['Prim', 'a.b', 'v1']}, 'Checks': [{'Name': 's', 'CheckID': 's', 'ServiceID': 'w1', 'Status': 'passing'}]})
    put(R, {'Node': 'd2', 'Address': '10.0.0.2', 'Service': {'ID': 'w2', 'Service': 'dweb', 'Port': 82, 'Address': '10.9.9.9', 'Tags': ['v1'], 'Weights': {'Passing': 5, 'Warning': 2}}, 'Checks': [{'Name': 's', 'CheckID': 's', 'ServiceID': 'w2', 'Status': 'warning'}]})
    put(R, {'Node': 'd3', 'Address': '10.0.0.3', 'Service': {'ID': 'w3', 'Service': 'dweb', 'Port': 83}, 'Checks': [{'Name': 's', 'CheckID': 's', 'ServiceID': 'w3', 'Status': 'critical'}]})
    put(R, {'Node': 'd4', 'Address': 'node.example.com', 'Service': {'ID': 'ext', 'Service': 'dext', 'Port': 84, 'Address': 'svc.example.com'}})
    put(R, {'Node': 'd6', 'Address': 'fd00::6', 'Service': {'ID': 'v6', 'Service': 'dsix', 'Port': 86}})
    for i in range(40):
        put(R, {'Node': 'many%02d' % i, 'Address': '10.1.0.%d' % (i + 1), 'Service': {'ID': 'm%d' % i, 'Service': 'dmany', 'Port': 9000 + i}})
    q = c.call('POST', '/v1/query', {'Name': 'dq', 'Service': {'Service': 'dweb', 'OnlyPassing': True}, 'DNS': {'TTL': '7s'}}, keep=False)[1]
    put(R, {'Node': 'dead', 'Address': '10.0.0.66', 'Service': {'ID': 'wd', 'Service': 'donlycrit', 'Port': 1}, 'Checks': [{'Name': 's', 'CheckID': 's', 'ServiceID': 'wd', 'Status': 'critical'}]})
    host, port = dns.rsplit(':', 1)
    steps = []
    for name, t, kw in (('d1.node.consul', 'A', {}), ('d1.node.consul', 'AAAA', {}), ('d1.node.consul', 'ANY', {}), ('d1.node.consul', 'TXT', {}), ('d1.node.consul', 'SRV', {}), ('D1.Node.Consul', 'A', {}), ('d1.node.dc1.consul', 'A', {}), ('d1.node.nope.consul', 'A', {}), ('nope.node.consul', 'A', {}), ('d4.node.consul', 'A', {}), ('d4.node.consul', 'ANY', {}), ('d6.node.consul', 'AAAA', {}), ('d6.node.consul', 'A', {}), ('x.d1.node.consul', 'A', {}),
                        ('dweb.service.consul', 'A', {}), ('dweb.service.consul', 'AAAA', {}), ('dweb.service.consul', 'SRV', {}), ('dweb.service.consul', 'ANY', {}), ('dweb.service.consul', 'TXT', {}), ('dweb.service.dc1.consul', 'A', {}), ('DWEB.service.consul', 'A', {}), ('prim.dweb.service.consul', 'A', {}), ('a.b.dweb.service.consul', 'A', {}), ('zz.dweb.service.consul', 'A', {}), ('v1.dweb.service.consul', 'SRV', {}),
                        ('_dweb._tcp.service.consul', 'SRV', {}), ('_dweb._prim.service.consul', 'SRV', {}), ('_dweb._prim.service.dc1.consul', 'SRV', {}), ('_dweb._udp.service.consul', 'SRV', {}), ('_dweb._v1.consul', 'SRV', {}), ('_dweb._tcp.service.consul', 'A', {}),
                        ('nope.service.consul', 'A', {}), ('nope.service.consul', 'SRV', {}), ('donlycrit.service.consul', 'A', {}), ('donlycrit.service.consul', 'SRV', {}), ('dext.service.consul', 'A', {}), ('dext.service.consul', 'SRV', {}), ('dext.service.consul', 'ANY', {}), ('dsix.service.consul', 'AAAA', {}), ('dsix.service.consul', 'SRV', {}), ('dsix.service.consul', 'A', {}),
                        ('dmany.service.consul', 'A', {}), ('dmany.service.consul', 'SRV', {}), ('dmany.service.consul', 'SRV', {'edns': 4096}), ('dmany.service.consul', 'A', {'edns': 1232}), ('dmany.service.consul', 'SRV', {'tcp': True}), ('dmany.service.consul', 'A', {'tcp': True}),
                        ('dq.query.consul', 'A', {}), ('dq.query.consul', 'SRV', {}), ('dq.query.dc1.consul', 'A', {}), ('nope.query.consul', 'A', {}), ('_dq._tcp.query.consul', 'SRV', {}), ('0a000001.addr.dc1.consul', 'A', {}), ('0a000001.addr.consul', 'A', {}), ('0a000001.addr.consul', 'AAAA', {}), ('0a000001.addr.consul', 'ANY', {}), ('0a00zz01.addr.consul', 'A', {}), ('fd000000000000000000000000000006.addr.consul', 'AAAA', {}), ('fd000000000000000000000000000006.addr.consul', 'A', {}),
                        ('consul', 'SOA', {}), ('consul', 'NS', {}), ('consul', 'A', {}), ('consul', 'ANY', {}), ('consul.service.consul', 'A', {}), ('consul.service.consul', 'SRV', {}), ('foo.consul', 'A', {}), ('service.consul', 'A', {}), ('dweb.foo.consul', 'A', {}), ('dweb.service.consul', 'SOA', {}), ('dweb.service.consul', 'NS', {}),
                        ('1.0.0.10.in-addr.arpa', 'PTR', {}), ('9.9.9.10.in-addr.arpa', 'PTR', {}), ('99.0.0.10.in-addr.arpa', 'PTR', {}), ('6.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa', 'PTR', {}), ('example.com', 'A', {}), ('n1.node.consul', 'A', {}), ('dweb.service.consul', 'A', {'edns': 4096}), ('dweb.service.consul', 'A', {'rd': False})):
        try:
            r = dns_parse(dns_query((host, int(port)), name, t, **kw))
            for k in ('answer', 'additional'):
                if len(r[k]) > 6: r[k + '_count'] = len(r[k]); r[k] = r[k][:3]
            r['answer'] = sorted(r['answer'], key=lambda x: json.dumps(x, sort_keys=True)); r['additional'] = sorted(r['additional'], key=lambda x: json.dumps(x, sort_keys=True))
        except Exception as e:
            r = {'error': type(e).__name__}
        steps.append({'query': dict({'name': name, 'type': t}, **kw), 'reply': r})
    for n in ['d1', 'd2', 'd3', 'd4', 'd6', 'dead'] + ['many%02d' % i for i in range(40)]:
        put('/v1/catalog/deregister', {'Node': n})
    if isinstance(q, dict): c.call('DELETE', '/v1/query/' + q.get('ID', ''), keep=False)
    c.steps = steps


# ---------------------------------------------------------------------------------- CLI
def g_cli(c, binary):
    env = {'PATH': os.environ.get('PATH', ''), 'HOME': '/nonexistent', 'CONSUL_HTTP_ADDR': '%s:%d' % (c.host, c.port)}
    tmp = os.environ.get('TMPDIR', '/tmp') + '/capcli.%d' % os.getpid(); os.makedirs(tmp, exist_ok=True)
    steps = []
    def run(*a, stdin=None, timeout=30, head=None):
        try:
            p = subprocess.run([binary] + list(a), env=env, cwd=tmp, input=(stdin or '').encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout)
            o, e, rc = p.stdout.decode('utf8', 'replace'), p.stderr.decode('utf8', 'replace'), p.returncode
        except subprocess.TimeoutExpired as x:
            o, e, rc = (x.stdout or b'').decode('utf8', 'replace'), (x.stderr or b'').decode('utf8', 'replace'), 'timeout'
        if head: o, e = '\n'.join(o.split('\n')[:head]), '\n'.join(e.split('\n')[:head])
        steps.append({'args': list(a), 'stdin': stdin, 'exit': rc, 'stdout': o[:MAXBODY], 'stderr': e[:MAXBODY]})
    w = lambda n, s: open(os.path.join(tmp, n), 'w').write(s)
    run('version'); run('--version'); run(); run('nope', head=12); run('help', head=12); run('kv'); run('members', '-h'); run('-h')
    run('members'); run('members', '-detailed'); run('members', '-wan'); run('members', '-status=alive'); run('members', '-status=failed'); run('members', '-status=('); run('members', 'extra'); run('members', '-nope')
    run('join'); run('join', '127.0.0.1:1'); run('force-leave'); run('force-leave', 'nope'); run('info'); run('reload'); run('leave', 'x')
    w('svc.json', '{"service":{"name":"cli-web","port":81,"tags":["a"]}}'); w('bad.json', '{"service":'); w('svc.hcl', 'service { name = "cli-hcl" id = "h1" port = 82 }\nservice { name = "cli-hcl" id = "h2" port = 83 }\n'); w('unk.json', '{"foo":1}')
    run('services', 'register', 'svc.json'); run('services', 'register', '-name=cli-b', '-id=b1', '-port=9', '-address=10.0.0.1', '-tag=x', '-meta=k=v'); run('services', 'register'); run('services', 'register', 'bad.json'); run('services', 'register', 'svc.hcl')
    run('catalog'); run('catalog', 'datacenters'); run('catalog', 'nodes'); run('catalog', 'nodes', '-detailed'); run('catalog', 'nodes', '-service=consul'); run('catalog', 'nodes', '-node-meta=a=b'); run('catalog', 'nodes', '-near=_agent'); run('catalog', 'services'); run('catalog', 'services', '-tags'); run('catalog', 'services', '-node=n1'); run('catalog', 'services', '-node=nope')
    run('services', 'deregister', 'svc.json'); run('services', 'deregister', '-id=b1'); run('services', 'deregister', '-id=nope'); run('services', 'deregister', 'svc.hcl'); run('services', 'deregister')
    run('kv', 'put', 'cli/a', 'v1'); run('kv', 'put', '-flags=5', 'cli/b', '-', stdin='from stdin'); w('val', 'file value\n'); run('kv', 'put', 'cli/c', '@val'); run('kv', 'put', 'cli/n'); run('kv', 'put'); run('kv', 'put', '-base64', 'cli/e', 'aGk='); run('kv', 'put', 'cli/d', '@nope')
    run('kv', 'get', 'cli/a'); run('kv', 'get', '-detailed', 'cli/b'); run('kv', 'get', '-recurse', 'cli/'); run('kv', 'get', '-keys', 'cli'); run('kv', 'get', '-keys', '-separator=', 'cli/'); run('kv', 'get', 'nope'); run('kv', 'get', '-base64', 'cli/a'); run('kv', 'get', '-recurse', '-detailed', 'cli/'); run('kv', 'get'); run('kv', 'get', '-recurse', 'nope/')
    run('kv', 'put', '-cas', '-modify-index=1', 'cli/a', 'x'); run('kv', 'put', '-cas', 'cli/zz', 'x'); run('kv', 'export', 'cli/'); w('imp.json', '[{"key":"cli/i","flags":0,"value":"aGVsbG8="}]'); run('kv', 'import', '@imp.json'); run('kv', 'import', '-', stdin='[]'); run('kv', 'import', '-prefix=cli/p/', '@imp.json')
    run('kv', 'delete', '-cas', '-modify-index=1', 'cli/a'); run('kv', 'delete', 'cli/a'); run('kv', 'delete', 'cli/a'); run('kv', 'delete', '-recurse', 'cli/'); run('kv', 'delete', '-cas', 'x'); run('kv', 'delete')
    run('event'); run('event', '-name=deploy', 'payload'); run('event', '-name=e2', '-node=n.*', '-service=x', '-tag=y')
    run('maint'); run('maint', '-enable'); run('maint', '-enable', '-reason=r'); run('maint'); run('maint', '-disable'); run('maint', '-enable', '-disable'); run('maint', '-enable', '-service=nope'); run('maint', '-service=x')
    run('lock'); run('lock', 'cli/lock', 'echo locked'); run('lock', '-n=2', 'cli/lock', 'exit 3'); run('lock', '-child-exit-code', 'cli/lock', 'exit 3'); run('lock', '-verbose', 'cli/lock', 'true'); run('lock', '-shell=false', 'cli/lock', 'echo', 'a b'); run('lock', '-try=1s', 'cli/lock', 'echo try')
    run('watch'); run('watch', '-type=nodes'); run('watch', '-type=key', '-key=cli/lock'); run('watch', '-type=nope'); run('watch', '-type=service', '-service=consul'); run('watch', '-type=key'); run('watch', '-type=services', 'true', timeout=3)
    run('exec', 'uptime'); run('monitor', '-log-level=nope'); run('rtt'); run('rtt', 'n1'); run('rtt', 'n1', 'nope'); run('keygen'); run('keyring'); run('keyring', '-list'); run('keyring', '-list', '-use=x')
    run('snapshot'); run('snapshot', 'save', 'backup.snap'); run('snapshot', 'inspect', 'backup.snap'); run('snapshot', 'inspect', 'nope.snap'); run('snapshot', 'restore', 'backup.snap'); run('snapshot', 'save'); run('operator'); run('operator', 'raft', 'list-peers'); run('operator', 'raft', 'remove-peer'); run('operator', 'raft', 'remove-peer', '-address=127.0.0.1:1'); run('operator', 'autopilot', 'get-config'); run('operator', 'autopilot', 'set-config', '-max-trailing-logs=251')
    run('acl'); run('acl', 'token', 'list'); run('acl', 'bootstrap')
    w('ok.json', '{"datacenter":"dc9","node_name":"x"}'); os.makedirs(tmp + '/d', exist_ok=True); w('d/a.json', '{"server":true}'); w('d/b.txt', 'junk')
    run('validate', 'ok.json'); run('validate', 'bad.json'); run('validate', 'unk.json'); run('validate', 'nope.json'); run('validate'); run('validate', '-quiet', 'd'); run('validate', 'd'); run('validate', 'svc.hcl')
    run('debug', '-duration=1s'); run('login'); run('logout'); run('config', 'list', '-kind=service-defaults'); run('intention', 'list'); run('tls'); run('connect')
    env['CONSUL_HTTP_ADDR'] = '127.0.0.1:1'
    run('members'); run('kv', 'get', 'x'); run('info'); run('leave')
    run('agent', '-nope'); run('agent', '-h', head=6); run('agent'); run('agent', '-dev', '-bind=1.2.3'); run('agent', '-data-dir=' + tmp + '/dd', '-config-file=nope.json'); run('agent', '-data-dir=' + tmp + '/dd', '-config-file=unk.json'); run('agent', '-data-dir=' + tmp + '/dd', '-bootstrap-expect=3'); run('agent', '-data-dir=' + tmp + '/dd', '-server', '-bootstrap', '-bootstrap-expect=3'); run('agent', '-data-dir=' + tmp + '/dd', '-bind=127.0.0.1', '-node=bad node name', '-datacenter=bad dc')
    for s in steps:
        for k in ('stdout', 'stderr'): s[k] = cut_help(s[k].replace(tmp, '$TMP'))
    subprocess.run(['rm', '-rf', tmp])
    c.steps = steps


def cut_help(t):
    """help texts are not facts to compare: keep everything up to the line that starts the usage"""
    m = re.search(r'^Usage:.*$', t, re.M)
    return t if not m or len(t) - m.end() < 80 else t[:m.end()] + '\n...<help text cut>\n'


GROUPS = ['http', 'status', 'agent_self', 'agent_service', 'agent_check', 'catalog', 'health', 'kv', 'session', 'txn', 'event', 'query', 'coordinate', 'blocking', 'acl_off', 'acl', 'dns', 'cli']

# ---------------------------------------------------------------------------------- diff
UUID = re.compile(r'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}')
VOLATILE = {'CreateIndex', 'ModifyIndex', 'Index', 'AccessorID', 'SecretID', 'Hash', 'CreateTime', 'ExpirationTime', 'LTime', 'Version', 'Revision', 'LastContact', 'StableSince', 'LastIndex', 'LastTerm', 'ContentHash', 'bytes', 'Stats', 'Error', 'Adjustment', 'Height', 'Vec', 'binary_len', 'seconds', 'X-Consul-Index', 'X-Consul-LastContact', 'Age', 'Content-Length', 'Output', 'Timestamp', 'Gauges', 'Counters', 'Samples', 'RTT', 'id', 'Memory', 'Disk', 'CPU', 'Host', 'CollectionTime'}


VARYING = False   # set while a step is compared whose probing checks may be in any state


def norm(s):
    s = UUID.sub('<uuid>', s)
    s = re.sub(r'[A-Za-z0-9+/]{43}=', '<key>', s)
    return re.sub(r'\d+', '<n>', s)


def question(step):
    """what a read asks, without what only says how to wait or print; None for anything but a read"""
    r = step.get('request') or {}
    if r.get('method') != 'GET' or 'X-Consul-Index' not in step['response'].get('headers', {}): return None
    path, _, query = r['path'].partition('?')
    keep = sorted(p for p in query.split('&') if p and p.split('=')[0] not in ('index', 'wait', 'pretty', 'stale', 'consistent', 'leader', 'cached', 'token'))
    return path + '?' + '&'.join(keep)


def moved(steps):
    """for each read that was asked before in this group: 'up', 'same' or 'down', by step number"""
    last, out = {}, {}
    for i, s in enumerate(steps):
        q = question(s)
        if not q: continue
        now = int(s['response']['headers']['X-Consul-Index'])
        if q in last: out[i] = 'up' if now > last[q] else 'down' if now < last[q] else 'same'
        last[q] = now
    return out


def cmp(a, b, path, out, key=None):
    if key in VOLATILE or (key == 'Status' and VARYING):
        if key == 'Output' and not VARYING and isinstance(a, str) and isinstance(b, str) and bool(a) != bool(b):
            out.append('%s: %.80r != %.80r' % (path, a, b))
        if type(a) is not type(b) and not (isinstance(a, (int, float)) and isinstance(b, (int, float))):
            out.append('%s: type %s != %s' % (path, type(a).__name__, type(b).__name__))
        return
    if isinstance(a, dict) and isinstance(b, dict):
        if 'ModifyIndex' in a and 'ModifyIndex' in b and 'CreateIndex' in a and 'CreateIndex' in b and not VARYING:
            fresh = lambda x: x['ModifyIndex'] == x['CreateIndex']
            if fresh(a) != fresh(b): out.append('%s: ModifyIndex %s CreateIndex here, %s there' % (path, '==' if fresh(a) else '>', '==' if fresh(b) else '>'))
        ka = {norm(k) if UUID.search(k) else k: k for k in a}; kb = {norm(k) if UUID.search(k) else k: k for k in b}
        for k in ka:
            if k not in kb: out.append('%s.%s: missing' % (path, k))
            else: cmp(a[ka[k]], b[kb[k]], path + '.' + k, out, k)
        for k in kb:
            if k not in ka: out.append('%s.%s: unexpected (%.60r)' % (path, k, b[kb[k]]))
    elif isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b): out.append('%s: %d elements != %d' % (path, len(a), len(b)))
        ks = lambda x: norm(json.dumps({k: v for k, v in x.items() if k not in ('Status', 'Output')} if isinstance(x, dict) else x, sort_keys=True))
        for i, (x, y) in enumerate(zip(sorted(a, key=ks), sorted(b, key=ks))): cmp(x, y, '%s[%d]' % (path, i), out)
    elif type(a) is not type(b) and not (isinstance(a, (int, float)) and isinstance(b, (int, float)) and not isinstance(a, bool) and not isinstance(b, bool)):
        out.append('%s: %.80r != %.80r' % (path, a, b))
    elif isinstance(a, str):
        if norm(a) != norm(b): out.append('%s: %.160r != %.160r' % (path, a, b))
    elif a != b and not (isinstance(a, int) and 28000 <= a < 30000 and isinstance(b, int) and 28000 <= b < 30000):  # ports of capture.sh
        out.append('%s: %r != %r' % (path, a, b))


def diff(da, db, only, verbose, allow=(), as_json=False):
    global VARYING
    bad = total = known = 0
    for g in GROUPS:
        if only and g not in only: continue
        fa, fb = os.path.join(da, g + '.json'), os.path.join(db, g + '.json')
        if not os.path.exists(fa): continue
        if not os.path.exists(fb): print('%-14s missing in %s' % (g, db)); bad += 1; continue
        A, B = json.load(open(fa))['steps'], json.load(open(fb))['steps']
        gb = 0
        ma, mb = moved(A), moved(B)
        for i, x in enumerate(A):
            total += 1
            y = B[i] if i < len(B) else {}
            o = []
            VARYING = 'vary' in (x.get('name') or '')
            for h in ('X-Content-Type-Options', 'Content-Security-Policy'):   # an answer may be safer than Consul's
                if h not in x.get('response', {}).get('headers', {}): y.get('response', {}).get('headers', {}).pop(h, None)
            if VARYING:   # whether an answer is short enough to carry its length varies with it
                for z in (x, y): z.get('response', {}).get('headers', {}).pop('Content-Length', None)
            for k in ('response', 'reply', 'exit', 'stdout', 'stderr'):
                if k in x: cmp(x[k], y.get(k), k, o, k)
            if not VARYING and i in ma and i in mb and ma[i] != mb[i]: o.append('X-Consul-Index since the last answer to this question: %s != %s' % (ma[i], mb[i]))
            if as_json:
                r = x.get('request') or x.get('query') or {}
                title = ' '.join(filter(None, (r.get('method', r.get('type')), r.get('path', r.get('name', ' '.join(x.get('args', [])))), x.get('name'))))
                print(json.dumps({'group': g, 'number': i, 'title': title, 'differences': o})); bad += bool(o); continue
            if o and '%s#%d' % (g, i) in allow:
                known += 1; o = []
            if o:
                gb += 1
                r = x.get('request') or x.get('query') or {}
                print('%s #%d %s %s %s' % (g, i, r.get('method', r.get('type', '')), r.get('path', r.get('name', ' '.join(x.get('args', [])))), x.get('name') or ''))
                for l in (o if verbose else o[:6]): print('      ' + l)
        if not as_json: print('%-14s %d of %d differ' % (g, gb, len(A)))
        bad += gb
    if not as_json: print('TOTAL %d of %d calls differ%s' % (bad, total, ' (%d known differences left out)' % known if known else ''))
    return 1 if bad else 0


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sp = ap.add_subparsers(dest='cmd', required=True)
    r = sp.add_parser('run'); r.add_argument('--http'); r.add_argument('--dns'); r.add_argument('--acl-http'); r.add_argument('--acl-token'); r.add_argument('--bin'); r.add_argument('--out', default='.'); r.add_argument('--only', default=''); r.add_argument('--label', default='')
    d = sp.add_parser('diff'); d.add_argument('a'); d.add_argument('b'); d.add_argument('--only', default=''); d.add_argument('-v', action='store_true'); d.add_argument('--json', action='store_true'); d.add_argument('--allow', help='file with one group#number a line: differences that are accepted')
    o = ap.parse_args()
    only = [x for x in o.only.split(',') if x]
    if o.cmd == 'diff': sys.exit(diff(o.a, o.b, only, o.v, {l.split()[0] for l in open(o.allow) if l.strip() and not l.startswith('//')} if o.allow else (), o.json))
    os.makedirs(o.out, exist_ok=True)
    for g in GROUPS:
        if only and g not in only: continue
        if g == 'acl':
            if not o.acl_http: continue
            c = Client(o.acl_http, o.acl_token)
        else:
            if not o.http: continue
            c = Client(o.http)
        t0 = time.time()
        try:
            if g == 'dns':
                if not o.dns: continue
                g_dns(c, o.dns)
            elif g == 'cli':
                if not o.bin: continue
                g_cli(c, o.bin)
            else: globals()['g_' + g](c)
        except Exception as e:
            print('%s: stopped early: %r' % (g, e), file=sys.stderr)
            if only: raise
        with open(os.path.join(o.out, g + '.json'), 'w') as f:
            f.write('{"group": %s, "server": %s, "steps": [\n' % (json.dumps(g), json.dumps(o.label)))
            f.write(',\n'.join(json.dumps(shorten(s) if g != 'cli' else s, ensure_ascii=False, sort_keys=False, separators=(',', ':')) for s in c.steps)); f.write('\n]}\n')
        print('%-14s %4d calls, %.1f s' % (g, len(c.steps), time.time() - t0))


if __name__ == '__main__':
    main()
