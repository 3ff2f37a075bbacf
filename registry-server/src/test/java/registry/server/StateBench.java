package registry.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.IntConsumer;
import registry.api.ApiException;
import registry.api.CatalogRegistration;
import registry.api.json.Json;
import registry.server.rpc.Method;
import registry.server.rpc.Question;
import registry.server.rpc.Reply;
import registry.server.rpc.Servers;

/**
 * Microseconds of CPU per operation of the state alone: no log, no network. Run its main by hand.
 */
final class StateBench {
    private static final Servers.Listener NOBODY =
            new Servers.Listener() {
                @Override
                public void answered(Reply reply) {}

                @Override
                public void failed(ApiException error) {
                    throw error;
                }
            };

    private StateBench() {}

    public static void main(String[] args) {
        try (var test = new TestServer()) {
            for (int i = 0; i < 5000; i++) {
                test.server.call(Method.CATALOG_REGISTER, instance(i, 0));
            }
            var changed = new CatalogRegistration[20_000];
            Arrays.setAll(changed, i -> instance(i % 5000, 1 + i / 5000));
            measure(
                    "catalog/register, applied",
                    changed.length,
                    i -> test.server.call(Method.CATALOG_REGISTER, changed[i]));
            measure("KV PUT, applied", 50_000, i -> test.put("k/" + i % 1000, "" + i));
            read(test, "KV GET", Question.KV_GET, "k/1", false);
            for (String service : new String[] {"ten", "twohundred"}) {
                read(test, "health/service " + service, Question.HEALTH_SERVICE, service, false);
                read(test, "health/service " + service, Question.HEALTH_SERVICE, service, true);
                read(
                        test,
                        "catalog/service " + service,
                        Question.CATALOG_SERVICE_NODES,
                        service,
                        true);
            }
            read(test, "catalog/services of 5,000", Question.CATALOG_SERVICES, "", false);
            read(test, "catalog/services of 5,000", Question.CATALOG_SERVICES, "", true);
        }
    }

    /** Ten instances of "ten", 200 of "twohundred", the others in services of ten. */
    private static CatalogRegistration instance(int i, int port) {
        String service = i < 10 ? "ten" : i < 210 ? "twohundred" : "s" + i / 10;
        String json =
                """
                {"Node":"node-%d","Address":"10.0.0.1","SkipNodeUpdate":true,
                 "Service":{"ID":"%s-%d","Service":"%s","Tags":["v1","primary"],"Port":%d,"Meta":{"a":"b"}},
                 "Checks":[{"CheckID":"check-%d","ServiceID":"%s-%d","Status":"passing","Name":"http"},
                           {"CheckID":"serfHealth","Status":"passing","Name":"Serf"}]}\
                """
                        .formatted(i % 500, service, i, service, port, i, service, i);
        return Json.read(json.getBytes(UTF_8), CatalogRegistration.class);
    }

    private static void read(
            TestServer test, String what, String method, String name, boolean changing) {
        var question = TestServer.question(method, name, 0, Duration.ZERO);
        // A change before each read makes it a miss; its own cost is measured alone and taken off.
        double change = 0;
        if (changing) {
            IntConsumer write =
                    i ->
                            test.server.call(
                                    Method.CATALOG_REGISTER,
                                    method.equals(Question.CATALOG_SERVICES)
                                            ? instance(4000, i)
                                            : instance(name.equals("ten") ? 1 : 11, i));
            change = time(3000, write);
            double both =
                    time(
                            3000,
                            i -> {
                                write.accept(-i);
                                test.server.ask(question, NOBODY);
                            });
            print(what + ", missed", both - change);
            return;
        }
        measure(what, 200_000, i -> test.server.ask(question, NOBODY));
    }

    private static void measure(String what, int times, IntConsumer work) {
        time(times, work);
        print(what, time(times, work));
    }

    private static double time(int times, IntConsumer work) {
        var threads = ManagementFactory.getThreadMXBean();
        long begun = threads.getCurrentThreadCpuTime();
        for (int i = 0; i < times; i++) {
            work.accept(i);
        }
        return (threads.getCurrentThreadCpuTime() - begun) / 1000.0 / times;
    }

    private static void print(String what, double micros) {
        System.out.println(String.format(Locale.ROOT, "%-40s %8.2f us", what, micros));
    }
}
