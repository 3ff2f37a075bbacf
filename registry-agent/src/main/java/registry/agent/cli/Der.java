package registry.agent.cli;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;

/** The few forms of DER that a certificate is made of. Source: ITU-T X.690 */
final class Der {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMddHHmmss'Z'").withZone(ZoneOffset.UTC);
    private static final DateTimeFormatter SHORT_TIME =
            DateTimeFormatter.ofPattern("yyMMddHHmmss'Z'").withZone(ZoneOffset.UTC);

    /** From here on a time is written with all digits of its year. */
    private static final Instant YEAR_2050 = Instant.parse("2050-01-01T00:00:00Z");

    private Der() {}

    static byte[] sequence(byte[]... parts) {
        return tagged(0x30, parts);
    }

    static byte[] set(byte[]... parts) {
        return tagged(0x31, parts);
    }

    static byte[] octets(byte[]... parts) {
        return tagged(4, parts);
    }

    static byte[] integer(BigInteger value) {
        return tagged(2, value.toByteArray());
    }

    static byte[] bool(boolean value) {
        return tagged(1, new byte[] {(byte) (value ? 0xff : 0)});
    }

    static byte[] text(String value) {
        return tagged(12, value.getBytes(StandardCharsets.UTF_8));
    }

    /** Bits in whole bytes, of which the last {@code unused} do not count. */
    static byte[] bits(int unused, byte[] value) {
        return tagged(3, new byte[] {(byte) unused}, value);
    }

    static byte[] time(Instant at) {
        return at.isBefore(YEAR_2050)
                ? tagged(23, ascii(SHORT_TIME.format(at)))
                : tagged(24, ascii(TIME.format(at)));
    }

    /** An object identifier, as "1.2.840". */
    static byte[] oid(String dotted) {
        String[] numbers = dotted.split("\\.");
        var out = new ByteArrayOutputStream();
        base128(out, Integer.parseInt(numbers[0]) * 40 + Integer.parseInt(numbers[1]));
        for (int i = 2; i < numbers.length; i++) {
            base128(out, Integer.parseInt(numbers[i]));
        }
        return tagged(6, out.toByteArray());
    }

    private static void base128(ByteArrayOutputStream out, int number) {
        for (int shift = 28; shift > 0; shift -= 7) {
            if (number >>> shift != 0) {
                out.write(number >>> shift & 0x7f | 0x80);
            }
        }
        out.write(number & 0x7f);
    }

    /** Parts under the number that their place in a structure has. */
    static byte[] explicit(int number, byte[]... parts) {
        return tagged(0xa0 | number, parts);
    }

    /** A value whose own tag gives way to the number of its place. */
    static byte[] implicit(int number, byte[] value) {
        return tagged(0x80 | number, value);
    }

    static byte[] ascii(String value) {
        return value.getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] tagged(int tag, byte[]... parts) {
        int length = 0;
        for (byte[] part : parts) {
            length += part.length;
        }
        var out = new ByteArrayOutputStream(length + 6);
        out.write(tag);
        if (length < 0x80) {
            out.write(length);
        } else {
            byte[] bytes = BigInteger.valueOf(length).toByteArray();
            int from = bytes[0] == 0 ? 1 : 0;
            out.write(0x80 | bytes.length - from);
            out.write(bytes, from, bytes.length - from);
        }
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }
}
