package registry.agent.http;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/** Compresses bodies for clients that take it. */
final class Gzip {
    /** Smaller bodies are sent as they are. Source: consul-api 1.4. */
    private static final int MIN_BYTES = 1400;

    /** The last body compressed: a change wakes many clients with one body. */
    private volatile @Nullable Zipped last;

    private record Zipped(byte[] plain, byte[] zipped) {}

    /** Whether an answer goes out compressed. */
    static boolean wants(@Nullable String acceptEncoding, byte[] body) {
        return acceptEncoding != null && body.length >= MIN_BYTES && accepts(acceptEncoding);
    }

    private static boolean accepts(String header) {
        for (String coding : header.toLowerCase(Locale.ROOT).split(",", -1)) {
            String[] parts = coding.split(";", 2);
            if (parts[0].strip().equals("gzip")) {
                return parts.length < 2 || !parts[1].strip().matches("q=0(\\.0*)?");
            }
        }
        return false;
    }

    byte[] zip(byte[] plain) {
        Zipped known = last;
        if (known != null && known.plain() == plain) {
            return known.zipped();
        }
        var out = new ByteArrayOutputStream(plain.length / 4 + 64);
        try (var gzip = new Fast(out)) {
            gzip.write(plain);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        byte[] zipped = out.toByteArray();
        last = new Zipped(plain, zipped);
        return zipped;
    }

    /** JSON shrinks to a tenth at the lowest level already. */
    private static final class Fast extends GZIPOutputStream {
        Fast(ByteArrayOutputStream out) throws IOException {
            super(out, 4096);
            def.setLevel(Deflater.BEST_SPEED);
        }
    }
}
