// The npm package "consul" at the work it is used for. Prints what was done.
const assert = require("assert");
const Consul = require(process.argv[2]);

const options = { host: process.env.REGISTRY_HOST, port: process.env.REGISTRY_PORT };
const consul = new Consul(options);
const name = "js-" + Math.random().toString(16).slice(2, 10);

async function main() {
  assert.ok(await consul.status.leader());
  assert.strictEqual((await consul.agent.self()).Config.NodeName, "interop");

  await consul.agent.service.register({ name, id: name + "-1", port: 8080, tags: ["a"], check: { ttl: "30s" } });
  const seen = [];
  const watch = consul.watch({
    method: consul.health.service,
    options: { service: name, passing: true },
    backoffFactor: 100,
  });
  const woken = new Promise((resolve, reject) => {
    watch.on("change", (data) => {
      seen.push(data);
      if (data.length === 1) resolve(data[0]);
    });
    watch.on("error", reject);
    setTimeout(() => reject(new Error("the watch saw " + JSON.stringify(seen))), 10000).unref();
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  await consul.agent.check.pass("service:" + name + "-1");
  assert.strictEqual((await woken).Service.Port, 8080);
  watch.end();
  assert.ok(name in (await consul.catalog.service.list()));
  assert.strictEqual((await consul.catalog.service.nodes(name))[0].ServiceID, name + "-1");

  assert.strictEqual(await consul.kv.set(name + "/k", "value"), true);
  const pair = await consul.kv.get(name + "/k");
  assert.strictEqual(pair.Value, "value");
  // The package makes undefined of false.
  assert.ok(!(await consul.kv.set({ key: name + "/k", value: "x", cas: "1" })));
  assert.deepStrictEqual(await consul.kv.keys(name), [name + "/k"]);

  const { ID } = await consul.session.create({ name: "js", ttl: "10s", lockdelay: "0s" });
  assert.strictEqual(await consul.kv.set({ key: name + "/k", value: "mine", acquire: ID }), true);
  assert.strictEqual((await consul.kv.get(name + "/k")).Session, ID);
  assert.strictEqual((await consul.session.renew(ID))[0].ID, ID);
  await consul.session.destroy(ID);
  assert.strictEqual((await consul.kv.get(name + "/k")).Session, undefined);
  await consul.kv.del({ key: name, recurse: true });

  await consul.event.fire(name, "body");
  assert.strictEqual((await consul.event.list(name))[0].Name, name);

  await consul.agent.service.deregister(name + "-1");
  assert.deepStrictEqual(await consul.health.service(name), []);
  console.log("services, checks, watch, kv, sessions and locks, events");
}

main().then(
  () => process.exit(0),
  (e) => {
    console.log(String(e.stack || e).replaceAll("\n", " | "));
    process.exit(1);
  },
);
