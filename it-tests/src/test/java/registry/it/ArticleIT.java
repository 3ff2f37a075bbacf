package registry.it;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A recipe of 2014 for Consul 0.3 and HAProxy, its commands typed as they stand, with {@code
 * consul} as a symlink to our launcher: port 80 and 8500, /tmp/consul and /etc/consul.d are the
 * real ones, inside a sandbox.
 */
final class ArticleIT {
    private static final String WEB_JSON =
            """
            {
              "service": {
                "name": "web-frontend",
                "tags": ["rails"],
                "port": 80,
                "check": {
                  "script": "curl localhost:80 >/dev/null 2>&1",
                  "interval": "10s"
                }
              }
            }
            """;

    private static final String UPDATE_HAPROXY =
            """
            #!/bin/bash
            # Query Consul for healthy services
            NODES=$(curl -s http://127.0.0.1:8500/v1/catalog/service/web-frontend | jq -r '.[].Address')

            # Generate the HAProxy config block
            echo "backend web-cluster" > /etc/haproxy/haproxy_backend.cfg
            for ip in $NODES; do
                echo "    server $ip $ip:80 check" >> /etc/haproxy/haproxy_backend.cfg
            done

            # Reload HAProxy smoothly
            service haproxy reload
            """;

    /** Stands for the init system, which a sandbox has not: notes what it is told. */
    private static final String SERVICE =
            """
            #!/bin/sh
            echo "$@" >>/tmp/service.log
            """;

    /** The sandbox has no way out: whatever is sent to an address of elsewhere is counted here. */
    private static final String PACKETS_WITHOUT_ROUTE =
            "awk '/^Ip:/ && !c {for (i = 1; i <= NF; i++) if ($i == \"OutNoRoutes\") c = i; next} /^Ip:/ {print $c}' /proc/net/snmp";

    private final List<Process> running = new ArrayList<>();
    private Sandbox sandbox;

    @TempDir private Path folder;

    @BeforeEach
    void openSandbox() {
        try {
            sandbox = Sandbox.open();
        } catch (IOException e) {
            if (Sandbox.isRequired()) {
                throw new AssertionError(
                        "root on a build server must be able to open a sandbox", e);
            }
            Assumptions.abort(e.getMessage());
        }
    }

    @AfterEach
    void closeSandbox() throws Exception {
        for (Process process : running) {
            process.destroyForcibly().waitFor();
        }
        if (sandbox != null) {
            sandbox.close();
        }
    }

    @Test
    void itsCommandsWorkAsTheyStand() throws Exception {
        install("/usr/local/bin/update_haproxy.sh", UPDATE_HAPROXY, "755");
        install("/usr/local/bin/service", SERVICE, "755");
        sh("rm -rf /etc/consul.d");
        install("/etc/consul.d/web.json", WEB_JSON, "644");
        // What this machine has of these names is hidden by the sandbox, not removed.
        sh("rm -rf /tmp/consul /etc/haproxy && mkdir /etc/haproxy");
        sh("ln -sf " + Launcher.registry() + " /usr/local/bin/consul");
        Process web =
                start(
                        "web",
                        System.getProperty("java.home")
                                + "/bin/jwebserver -b 127.0.0.1 -p 80 -d "
                                + folder);

        start(
                "agent",
                "consul agent -server -bootstrap-expect 1 -data-dir /tmp/consul -node=agent-one -config-dir /etc/consul.d");
        await().atMost(20, SECONDS)
                .untilAsserted(() ->
                        assertThat(
                                        ask(
                                                "curl -s http://127.0.0.1:8500/v1/catalog/service/web-frontend | jq -r '.[].Address'"))
                                .as(log("agent"))
                                .isEqualTo(Sandbox.ADDRESS));
        assertThat(
                        ask(
                                "curl -s http://127.0.0.1:8500/v1/catalog/service/web-frontend | jq -r '.[0].ServiceTags[0]'"))
                .isEqualTo("rails");

        Process watch =
                start(
                        "watch",
                        "consul watch -type=service -service=web-frontend /usr/local/bin/update_haproxy.sh");
        await().atMost(10, SECONDS)
                .untilAsserted(() -> assertThat(reloads()).as(log("watch")).isPositive());
        assertThat(sandbox.sh("cat /etc/haproxy/haproxy_backend.cfg").out())
                .isEqualTo("backend web-cluster\n    server 10.77.0.10 10.77.0.10:80 check\n");
        await().atMost(15, SECONDS)
                .untilAsserted(() -> assertThat(checkStatus()).isEqualTo("passing"));

        long before = reloads();
        web.destroyForcibly().waitFor();
        await().atMost(15, SECONDS)
                .untilAsserted(() -> assertThat(checkStatus()).isEqualTo("critical"));
        await().atMost(5, SECONDS)
                .untilAsserted(() -> assertThat(reloads()).as(log("watch")).isGreaterThan(before));
        assertThat(watch.isAlive()).as("the watch goes on\n%s", log("watch")).isTrue();
        assertThat(ask(PACKETS_WITHOUT_ROUTE))
                .as("packets that wanted to leave this machine")
                .isEqualTo("0");
    }

    private String checkStatus() {
        return ask(
                "curl -s http://127.0.0.1:8500/v1/health/checks/web-frontend | jq -r '.[].Status'");
    }

    /** How often the handler of the watch has run to its end. */
    private long reloads() {
        return sandbox.sh("cat /tmp/service.log")
                .out()
                .lines()
                .filter("haproxy reload"::equals)
                .count();
    }

    private void install(String path, String text, String mode) throws IOException {
        Path source = Files.writeString(folder.resolve(Path.of(path).getFileName()), text);
        sh("install -D -m " + mode + " " + source + " " + path);
    }

    private void sh(String line) {
        assertThat(sandbox.sh(line)).as(line).extracting(Launcher.Result::exit).isEqualTo(0);
    }

    /** Output of a line of shell without the last line end. */
    private String ask(String line) {
        return sandbox.sh(line).out().strip();
    }

    private Process start(String name, String line) throws IOException {
        Process process = sandbox.start(line, folder.resolve(name + ".log"));
        running.add(process);
        return process;
    }

    private String log(String name) throws IOException {
        return Files.readString(folder.resolve(name + ".log"));
    }
}
