package registry.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Counts the bytes that this machine sends from and to some ports, by the kernel's nftables. */
final class Traffic implements AutoCloseable {
    private static final Pattern BYTES = Pattern.compile("bytes (\\d+)");

    private final String table = "registry_bench_" + ProcessHandle.current().pid();

    private Traffic() {}

    /** Null where nothing can be counted. */
    static @Nullable Traffic of(List<Integer> ports) {
        var traffic = new Traffic();
        String set =
                ports.stream().map(String::valueOf).collect(Collectors.joining(", ", "{ ", " }"));
        String rules =
                """
                table inet %s {
                    chain out {
                        type filter hook output priority 0;
                        th dport %2$s counter
                        th dport != %2$s th sport %2$s counter
                    }
                }
                """
                        .formatted(traffic.table, set);
        return traffic.nft(rules, "-f", "-") == null ? null : traffic;
    }

    /** Since the begin, headers of IP included. */
    long bytes() {
        String listed = nft("", "list", "table", "inet", table);
        Matcher counter = BYTES.matcher(listed == null ? "" : listed);
        long sum = 0;
        while (counter.find()) {
            sum += Long.parseLong(counter.group(1));
        }
        return sum;
    }

    /** What it prints; null when it fails or is not there. */
    private @Nullable String nft(String input, String... arguments) {
        String[] command = new String[arguments.length + 1];
        command[0] = "nft";
        System.arraycopy(arguments, 0, command, 1, arguments.length);
        try {
            Process run =
                    new ProcessBuilder(command)
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start();
            try (var in = run.getOutputStream()) {
                in.write(input.getBytes(StandardCharsets.US_ASCII));
            }
            String printed =
                    new String(run.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            return run.waitFor() == 0 ? printed : null;
        } catch (IOException e) {
            return null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UncheckedIOException(new IOException(e));
        }
    }

    @Override
    public void close() {
        nft("", "delete", "table", "inet", table);
    }
}
