package registry.api.client;

import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import registry.api.client.RegistryClient.Answer;

/** One exchange with an agent: over kept connections, or over one of its own. */
interface Transport extends AutoCloseable {
    Duration CONNECT = Duration.ofSeconds(5);

    Answer send(
            String method, URI target, Map<String, String> headers, byte[] body, Duration timeout)
            throws IOException, InterruptedException;

    @Override
    void close();
}
