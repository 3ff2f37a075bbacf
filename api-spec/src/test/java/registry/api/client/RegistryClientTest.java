package registry.api.client;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class RegistryClientTest {
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    /**
     * The JDK sent a PUT a second time, unasked, when the connection ended before its answer: a
     * swap that had been done was done again and refused.
     */
    @Test
    void aWriteWhoseConnectionEndsWithoutAWordIsNotSentAgain() throws Exception {
        try (var server = new ServerSocket(0, 9, InetAddress.getLoopbackAddress());
                var client =
                        new RegistryClient(
                                URI.create("http://127.0.0.1:" + server.getLocalPort()), null)) {
            var requests = new AtomicInteger();
            Thread.ofVirtual().start(() -> hangUpOnEachRequest(server, requests));
            assertThatThrownBy(() -> client.put("/v1/kv/a?cas=1", "b".getBytes(UTF_8), PATIENCE))
                    .isInstanceOf(IOException.class);
            assertThatThrownBy(() -> client.put("/v1/kv/a?cas=1", new byte[0], PATIENCE))
                    .isInstanceOf(IOException.class);
            assertThat(requests).hasValue(2);
        }
    }

    private static void hangUpOnEachRequest(ServerSocket server, AtomicInteger requests) {
        while (true) {
            try (Socket caller = server.accept()) {
                if (caller.getInputStream().read(new byte[4_096]) > 0) {
                    requests.incrementAndGet();
                }
            } catch (IOException closed) {
                return;
            }
        }
    }
}
