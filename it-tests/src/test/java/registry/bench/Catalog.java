package registry.bench;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.nio.ByteBuffer;
import java.util.Base64;

/** The bodies that fill a catalogue: external nodes, each service with one check of its own. */
final class Catalog {
    private Catalog() {}

    /** One instance on its own node, the node with a check as the agent's serfHealth. */
    static String onItsOwnNode(String service, int n) {
        return """
        {"Node": "%1$s-n%2$d", "Address": "10.1.%3$d.%4$d",
         "Service": {"ID": "%1$s-%2$d", "Service": "%1$s", "Tags": ["primary", "v1"], "Port": 8080,
          "Meta": {"version": "1.4.2"}},
         "Checks": [{"CheckID": "serfHealth", "Name": "Serf Health Status", "Status": "passing",
           "Output": "Agent alive and reachable"},
          {"CheckID": "service:%1$s-%2$d", "Name": "Service '%1$s' check", "Status": "passing",
           "ServiceID": "%1$s-%2$d", "Output": "HTTP GET http://10.1.%3$d.%4$d:8080/: 200 OK"}]}
        """
                .formatted(service, n, n / 250, n % 250 + 1);
    }

    /** One of 5,000 nodes, a hundred to a rack. */
    static String node(int n) {
        return """
        {"Node": "plain-%1$d", "Address": "10.4.%2$d.%3$d",
         "NodeMeta": {"rack": "r%4$d", "zone": "z%5$d"}}
        """
                .formatted(n, n / 250, n % 250 + 1, n % 50, n % 3);
    }

    /** One of {@code n} instances: 50 on a node, ten of a name, two checks each. */
    static String oneOfMany(int n) {
        return """
        {"Node": "node-%1$d", "Address": "10.2.0.%1$d", "SkipNodeUpdate": %2$s,
         "Service": {"ID": "many-%3$d", "Service": "many-%4$d", "Tags": ["primary", "v1"],
          "Port": %5$d, "Meta": {"version": "1.4.2"}},
         "Checks": [{"CheckID": "service:many-%3$d:1", "Name": "Service 'many-%4$d' check",
           "Status": "passing", "ServiceID": "many-%3$d", "Output": "HTTP GET: 200 OK"},
          {"CheckID": "service:many-%3$d:2", "Name": "Service 'many-%4$d' check",
           "Status": "passing", "ServiceID": "many-%3$d", "Output": "TCP connect: Success"}]}
        """
                .formatted(n / 50 + 1, n % 50 > 0, n, n / 10, 8000 + n % 50);
    }

    /** Registrations of which each changes the port of one of 1,000 instances. */
    static Clients.Requests changes(String path) {
        return new Clients.Requests() {
            private int change; // goes on over runs: the same port twice would be no change

            @Override
            public ByteBuffer next(int n) {
                int id = change % 1000;
                int port = 1 + change++ / 1000;
                String body =
                        """
                        {"Node":"w%1$d","Address":"10.3.0.%1$d","SkipNodeUpdate":true,\
                        "Service":{"ID":"w-%2$d","Service":"written-%3$d","Tags":["v1"],"Port":%4$d},\
                        "Check":{"CheckID":"service:w-%2$d","Name":"alive","Status":"passing",\
                        "ServiceID":"w-%2$d"}}\
                        """
                                .formatted(id / 50 + 1, id, id / 10, port);
                return ByteBuffer.wrap(Api.request("PUT", path, body));
            }
        };
    }

    /** PUTs of 100 bytes to 1,000 keys, each another value; {@code %d} of the path is the key. */
    static Clients.Requests values(String path) {
        return new Clients.Requests() {
            private int change;

            @Override
            public ByteBuffer next(int n) {
                String value = "%0100d".formatted(change);
                String to = path.replace("%d", Integer.toString(change++ % 1000));
                return ByteBuffer.wrap(Api.request("PUT", to, value));
            }
        };
    }

    /** Takes and gives back a lock, in turns. */
    static Clients.Requests locks(String path, String session) {
        return new Clients.Requests() {
            private boolean held;

            @Override
            public ByteBuffer next(int n) {
                held = !held;
                String to = path + (held ? "?acquire=" : "?release=") + session;
                return ByteBuffer.wrap(Api.request("PUT", to, "holder"));
            }
        };
    }

    /** Ten keys of 1,000, each another value of 100 bytes. */
    static String transaction(int number) {
        var ops = new StringBuilder("[");
        for (int i = 0; i < 10; i++) {
            int change = number * 10 + i;
            String value =
                    Base64.getEncoder()
                            .encodeToString("%0100d".formatted(change).getBytes(US_ASCII));
            ops.append(i == 0 ? "" : ",")
                    .append(
                            "{\"KV\":{\"Verb\":\"set\",\"Key\":\"bench/t%d\",\"Value\":\"%s\"}}"
                                    .formatted(change % 1000, value));
        }
        return ops.append(']').toString();
    }

    static Clients.Requests transactions(String path) {
        return new Clients.Requests() {
            private int number;

            @Override
            public ByteBuffer next(int n) {
                return ByteBuffer.wrap(Api.request("PUT", path, transaction(number++)));
            }
        };
    }

    /** Registrations at the agent of 200 services with a TTL check, each with another port. */
    static Clients.Requests ownServices(String path) {
        return new Clients.Requests() {
            private int change;

            @Override
            public ByteBuffer next(int n) {
                int id = change % 200;
                int port = 1 + change++ / 200 % 65_000;
                String body =
                        """
                        {"ID":"own-%1$d","Name":"own-%2$d","Tags":["v1"],"Port":%3$d,\
                        "Check":{"TTL":"1h","Status":"passing"}}\
                        """
                                .formatted(id, id / 10, port);
                return ByteBuffer.wrap(Api.request("PUT", path, body));
            }
        };
    }
}
