package registry.agent.gossip;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SeedsTest {
    private static final InetSocketAddress SELF = at("10.0.0.1", 8301);

    @TempDir private Path folder;

    private final Map<String, List<String>> names = new HashMap<>();

    private static InetSocketAddress at(String ip, int port) {
        try {
            return new InetSocketAddress(InetAddress.getByName(ip), port);
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    private InetAddress[] resolve(String host) throws UnknownHostException {
        List<String> addresses = names.getOrDefault(host, List.of());
        if (addresses.isEmpty()) {
            throw new UnknownHostException(host);
        }
        var found = new InetAddress[addresses.size()];
        for (int i = 0; i < found.length; i++) {
            found[i] = InetAddress.getByName(addresses.get(i));
        }
        return found;
    }

    private Seeds seeds(String... wanted) {
        return new Seeds(this::resolve, List.of(wanted), 8301, folder.resolve("m.json"), SELF);
    }

    @Test
    void namesAreResolvedAnewEachTimeAndGiveAllTheirAddresses() {
        Seeds seeds = seeds("servers.example", "gone.example:9301");
        assertThat(seeds.addresses()).isEmpty();
        names.put("servers.example", List.of("10.0.0.1", "10.0.0.2", "10.0.0.3"));
        assertThat(seeds.addresses())
                .as("not ourselves")
                .containsExactly(at("10.0.0.2", 8301), at("10.0.0.3", 8301));
        names.put("servers.example", List.of("10.0.0.7"));
        names.put("gone.example", List.of("10.0.0.8"));
        assertThat(seeds.addresses()).containsExactly(at("10.0.0.7", 8301), at("10.0.0.8", 9301));
    }

    @Test
    void theLastViewIsRememberedAndTheIncarnationGrows() throws Exception {
        names.put("10.0.0.2", List.of("10.0.0.2"));
        Seeds first = seeds();
        first.remember(List.of(SELF, at("10.0.0.2", 8301)));
        Seeds second = seeds();
        assertThat(second.addresses()).containsExactly(at("10.0.0.2", 8301));
        assertThat(second.incarnation()).isGreaterThan(first.incarnation());
        // The clock went back: the file knows better.
        Files.writeString(
                folder.resolve("m.json"), "{\"Incarnation\": 99999999999999, \"Members\": []}");
        assertThat(seeds().incarnation()).isEqualTo(100_000_000_000_000L);
    }

    @Test
    void aDamagedMemoryCostsTheMemoryOnly() throws Exception {
        names.put("n", List.of("10.0.0.9"));
        Files.writeString(folder.resolve("m.json"), "{");
        assertThat(seeds("n").addresses()).containsExactly(at("10.0.0.9", 8301));
    }
}
