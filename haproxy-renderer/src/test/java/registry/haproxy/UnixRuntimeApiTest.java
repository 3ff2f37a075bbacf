package registry.haproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Against a socket that behaves as HAProxy's does at its worst. */
class UnixRuntimeApiTest {
    @TempDir private Path folder;
    private ServerSocketChannel server;
    private Path socket;

    @BeforeEach
    void begin() throws IOException {
        socket = folder.resolve("s");
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(socket), 1);
    }

    @AfterEach
    void end() throws IOException {
        server.close();
    }

    private UnixRuntimeApi api() {
        return new UnixRuntimeApi(socket, Duration.ofMillis(300));
    }

    /**
     * Accepts one client and sends it these pieces, one by one, without looking at what it says.
     */
    private void talk(String... pieces) {
        Thread.ofVirtual()
                .start(() -> {
                    try (SocketChannel client = server.accept()) {
                        for (String piece : pieces) {
                            client.read(ByteBuffer.allocate(1000));
                            client.write(
                                    ByteBuffer.wrap(piece.getBytes(StandardCharsets.US_ASCII)));
                        }
                    } catch (IOException e) {
                        // The test is over.
                    }
                });
    }

    @Test
    void repliesEndAtThePrompt() throws IOException {
        talk("\n> ", "a > b\n> c\n\n> ", "\n> ");
        try (RuntimeApi.Session session = api().connect()) {
            assertThat(session.send("one")).isEqualTo("a > b\n> c");
            assertThat(session.send("two")).isEmpty();
        }
    }

    @Test
    void aHangUpIsAnError() throws IOException {
        talk("\n> ", "half");
        try (RuntimeApi.Session session = api().connect()) {
            assertThatThrownBy(() -> session.send("one"))
                    .hasMessageContaining("closed the connection during \"one\"");
        }
    }

    @Test
    void silenceIsAnError() {
        assertThatThrownBy(() -> api().connect()).hasMessageContaining("does not answer");
    }

    /**
     * A stopped process accepts nobody: its queue fills, and a plain connect would wait for ever.
     */
    @Test
    void aFullQueueIsAnError() throws IOException {
        List<SocketChannel> waiting = new ArrayList<>();
        try {
            for (int client = 0; client < 8; client++) {
                SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
                channel.configureBlocking(false);
                waiting.add(channel);
                try {
                    channel.connect(UnixDomainSocketAddress.of(socket));
                } catch (IOException e) {
                    break;
                }
            }
            assertThatThrownBy(() -> api().connect()).isInstanceOf(IOException.class);
        } finally {
            for (SocketChannel channel : waiting) {
                channel.close();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"a;b", "a\nb", "a\rb", "a\u0000", "é"})
    void whatIsMoreThanOneCommandIsNeverSent(String command) throws IOException {
        talk("\n> ");
        try (RuntimeApi.Session session = api().connect()) {
            assertThatThrownBy(() -> session.send(command))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }
}
