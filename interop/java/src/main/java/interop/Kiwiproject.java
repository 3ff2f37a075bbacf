package interop;

import java.util.List;
import java.util.Map;
import org.kiwiproject.consul.Consul;
import org.kiwiproject.consul.cache.ServiceHealthCache;
import org.kiwiproject.consul.model.session.ImmutableSession;

/** org.kiwiproject:consul-client, with its cache that watches. */
final class Kiwiproject {
    private Kiwiproject() {}

    public static void main(String[] args) throws Exception {
        Consul consul = Consul.builder().withUrl("http://" + Work.HOST + ":" + Work.PORT).withReadTimeoutMillis(30_000).build();
        var agent = consul.agentClient();
        agent.ping();
        String id = Work.NAME + "-1";
        agent.register(8080, 30L, Work.NAME, id, List.of("a"), Map.of("k", "v"));
        try (var cache = ServiceHealthCache.newCache(consul.healthClient(), Work.NAME)) {
            cache.start();
            Work.check(cache.awaitInitialized(5, java.util.concurrent.TimeUnit.SECONDS), "cache");
            Work.check(cache.getMap().isEmpty(), "nothing passes yet");
            agent.pass(id);
            Work.within(5000, () -> cache.getMap().size() == 1, "the cache hears of the pass");
        }
        var healthy = consul.healthClient().getHealthyServiceInstances(Work.NAME).getResponse();
        Work.check(healthy.get(0).getService().getMeta().get("k").equals("v"), "metadata");

        var kv = consul.keyValueClient();
        String key = Work.NAME + "/key";
        Work.check(kv.putValue(key, "value", 7), "put");
        Work.check(kv.getValueAsString(key).orElseThrow().equals("value"), "get");
        Work.check(kv.getKeys(Work.NAME).equals(List.of(key)), "keys");
        var sessions = consul.sessionClient();
        String session =
                sessions.createSession(ImmutableSession.builder().name("kiwi").lockDelay("0s").build())
                        .getId();
        Work.check(kv.acquireLock(key, "mine", session), "acquire");
        Work.check(kv.getSession(key).orElseThrow().equals(session), "holder");
        Work.check(kv.releaseLock(key, session), "release");
        sessions.destroySession(session);
        kv.deleteKeys(Work.NAME);
        agent.deregister(id);
        Work.done("services, checks, health cache, kv, sessions and locks");
    }
}
