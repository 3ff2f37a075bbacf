package interop;

import io.vertx.core.Future;
import io.vertx.ext.consul.CheckOptions;
import io.vertx.ext.consul.ConsulClient;
import io.vertx.ext.consul.ConsulClientOptions;
import io.vertx.ext.consul.KeyValueOptions;
import io.vertx.ext.consul.ServiceOptions;
import io.vertx.ext.consul.SessionOptions;
import io.vertx.ext.consul.Watch;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** io.vertx:vertx-consul-client, with its watch. */
final class Vertx {
    private Vertx() {}

    private static <T> T get(Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    public static void main(String[] args) throws Exception {
        var vertx = io.vertx.core.Vertx.vertx();
        var options = new ConsulClientOptions();
        options.setHost(Work.HOST).setPort(Work.PORT);
        ConsulClient client = ConsulClient.create(vertx, options);
        String id = Work.NAME + "-1";
        get(client.registerService(
                new ServiceOptions()
                        .setId(id)
                        .setName(Work.NAME)
                        .setPort(8080)
                        .setTags(List.of("a"))
                        .setCheckOptions(new CheckOptions().setTtl("30s"))));
        var passing = new AtomicInteger();
        Watch.service(Work.NAME, vertx, options)
                .setHandler(result -> {
                    if (result.succeeded()) {
                        passing.set(
                                (int)
                                        result.nextResult().getList().stream()
                                                .filter(entry ->
                                                        entry.aggregatedStatus().name().equals("PASSING"))
                                                .count());
                    }
                })
                .start();
        get(client.passCheck("service:" + id));
        Work.within(5000, () -> passing.get() == 1, "the watch hears of the pass");

        String key = Work.NAME + "/key";
        Work.check(get(client.putValue(key, "value")), "put");
        Work.check(get(client.getValue(key)).getValue().equals("value"), "get");
        String session =
                get(client.createSessionWithOptions(
                        new SessionOptions().setName("vertx").setLockDelay(0)));
        Work.check(
                get(client.putValueWithOptions(
                        key, "mine", new KeyValueOptions().setAcquireSession(session))),
                "acquire");
        Work.check(get(client.getValue(key)).getSession().equals(session), "holder");
        get(client.destroySession(session));
        get(client.deregisterService(id));
        Work.done("services, checks, watch, kv, sessions and locks");
    }
}
