package interop;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.cloud.client.ServiceInstance;
import org.springframework.cloud.client.discovery.DiscoveryClient;
import org.springframework.cloud.client.loadbalancer.LoadBalancerClient;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.env.Environment;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** Two instances of an application: one is asked for its health over HTTP, the other one sends heartbeats. */
@SpringBootApplication
@RestController
public class Spring {
    private static final String AGENT = System.getenv("REGISTRY_HOST") + ":" + System.getenv("REGISTRY_PORT");
    private static final String NAME = "spring-" + Long.toHexString(System.nanoTime());
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private final Environment environment;

    Spring(Environment environment) {
        this.environment = environment;
    }

    @GetMapping("/")
    String greeting() {
        return environment.getProperty("greeting", "");
    }

    public static void main(String[] args) {
        int code = 1;
        try {
            run();
            code = 0;
        } catch (Exception e) {
            System.out.println(e);
        }
        System.exit(code);
    }

    private static void run() throws Exception {
        configure("hello");
        var asked = start("asked");
        var beating = start("beating", "--spring.cloud.consul.discovery.heartbeat.enabled=true",
                "--spring.cloud.consul.discovery.heartbeat.ttl=5s");

        var discovery = asked.getBean(DiscoveryClient.class);
        within(20, () -> discovery.getInstances(NAME).size() == 2, "both are found and pass");
        check(discovery.getServices().contains(NAME), "the service is listed");
        check(ports(discovery).equals(Stream.of(asked, beating).map(Spring::port).sorted().toList()), "ports");
        check(discovery.getInstances(NAME).stream().allMatch(i -> "v".equals(i.getMetadata().get("k"))), "metadata");

        var balancer = beating.getBean(LoadBalancerClient.class);
        check(get(balancer.choose(NAME).getUri() + "/").equals("hello"), "the configuration is that of the registry");
        String health = get(url(asked) + "/actuator/health");
        check(health.contains("\"leader\"") && !health.contains("DOWN"), "health tells of the registry: " + health);

        configure("changed");
        for (var app : List.of(asked, beating)) {
            within(20, () -> app.getEnvironment().getProperty("greeting", "").equals("changed"), "a change is heard of");
        }

        asked.close();
        check(ports(beating.getBean(DiscoveryClient.class)).equals(List.of(port(beating))), "who ends is deregistered");
        beating.close();
        check(get("http://" + AGENT + "/v1/health/service/" + NAME).equals("[]"), "who ends is deregistered");
        System.out.println("registration, HTTP check, heartbeat, discovery, load balancer, configuration and its changes");
    }

    private static ConfigurableApplicationContext start(String id, String... more) {
        return SpringApplication.run(Spring.class, Stream.concat(Stream.of(
                        "--spring.application.name=" + NAME,
                        "--server.address=127.0.0.1",
                        "--server.port=0",
                        "--management.endpoint.health.show-details=always",
                        "--spring.config.import=consul:" + AGENT,
                        "--spring.cloud.consul.host=" + System.getenv("REGISTRY_HOST"),
                        "--spring.cloud.consul.port=" + System.getenv("REGISTRY_PORT"),
                        // It waits for one context after the other, as long as this in seconds.
                        "--spring.cloud.consul.config.watch.wait-time=1",
"--spring.cloud.consul.config.watch.delay=100",
                        "--spring.cloud.consul.discovery.hostname=127.0.0.1",
                        "--spring.cloud.consul.discovery.instance-id=" + NAME + "-" + id,
                        "--spring.cloud.consul.discovery.health-check-interval=1s",
                        "--spring.cloud.consul.discovery.query-passing=true",
                        "--spring.cloud.consul.discovery.metadata.k=v"), Stream.of(more))
                .toArray(String[]::new));
    }

    private static List<Integer> ports(DiscoveryClient discovery) {
        return discovery.getInstances(NAME).stream().map(ServiceInstance::getPort).sorted().toList();
    }

    private static int port(ConfigurableApplicationContext app) {
        return Integer.parseInt(app.getEnvironment().getProperty("local.server.port", ""));
    }

    private static String url(ConfigurableApplicationContext app) {
        return "http://127.0.0.1:" + port(app);
    }

    private static void configure(String greeting) throws Exception {
        var key = URI.create("http://" + AGENT + "/v1/kv/config/" + NAME + "/greeting");
        HTTP.send(HttpRequest.newBuilder(key).PUT(BodyPublishers.ofString(greeting)).build(), BodyHandlers.ofString());
    }

    private static String get(String url) throws Exception {
        return HTTP.send(HttpRequest.newBuilder(URI.create(url)).build(), BodyHandlers.ofString()).body();
    }

    private static void check(boolean so, String what) {
        if (!so) {
            throw new IllegalStateException("not so: " + what);
        }
    }

    private static void within(int seconds, BooleanSupplier so, String what) throws InterruptedException {
        long end = System.nanoTime() + seconds * 1_000_000_000L;
        while (!so.getAsBoolean()) {
            check(System.nanoTime() < end, what);
            Thread.sleep(50);
        }
    }
}
