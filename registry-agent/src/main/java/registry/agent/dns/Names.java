package registry.agent.dns;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Name;

/** Names from texts and back: labels are bytes, nothing in them is an escape. */
final class Names {
    private static final int MAX_LABEL = 63;
    private static final int HEX_V4 = 8;
    private static final int HEX_V6 = 32;
    private static final int ARPA_V4 = 4;

    private Names() {}

    /**
     * The name of all labels of all texts, in order; null when it is none: a label that is empty or
     * too long, or 255 bytes exceeded. Node names may be anything.
     */
    static @Nullable Name of(String... texts) {
        var wire = new ByteArrayOutputStream();
        for (String text : texts) {
            String whole = text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
            for (String label : whole.split("\\.", -1)) {
                byte[] bytes = label.getBytes(StandardCharsets.UTF_8);
                if (bytes.length == 0 || bytes.length > MAX_LABEL) {
                    return null;
                }
                wire.write(bytes.length);
                wire.writeBytes(bytes);
            }
        }
        wire.write(0);
        try {
            return new Name(wire.toByteArray());
        } catch (IOException e) {
            return null;
        }
    }

    /** As {@link #of}, for texts that are known to make a name. */
    static Name ofValid(String... texts) {
        Name name = of(texts);
        if (name == null) {
            throw new IllegalArgumentException("no DNS name: " + String.join(".", texts));
        }
        return name;
    }

    /** Labels in lower case, without the root. */
    static List<String> labels(Name name) {
        var labels = new ArrayList<String>(name.labels());
        for (int i = 0; i < name.labels() - 1; i++) {
            byte[] counted = name.getLabel(i);
            labels.add(
                    new String(counted, 1, counted.length - 1, StandardCharsets.UTF_8)
                            .toLowerCase(Locale.ROOT));
        }
        return labels;
    }

    static String hex(byte[] address) {
        return HexFormat.of().formatHex(address);
    }

    /** An address of 8 or 32 hexadecimal digits; null for any other text. */
    static byte @Nullable [] unhex(String digits) {
        if (digits.length() != HEX_V4 && digits.length() != HEX_V6) {
            return null;
        }
        try {
            return HexFormat.of().parseHex(digits);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    /** The address of an {@code in-addr.arpa} or {@code ip6.arpa} name; null for any other. */
    static byte @Nullable [] reverse(List<String> labels) {
        int n = labels.size();
        if (n < 2 || !labels.get(n - 1).equals("arpa")) {
            return null;
        }
        List<String> digits = labels.subList(0, n - 2).reversed();
        return switch (labels.get(n - 2)) {
            case "in-addr" -> digits.size() == ARPA_V4 ? decimal(digits) : null;
            case "ip6" -> digits.size() == HEX_V6 ? unhex(String.join("", digits)) : null;
            default -> null;
        };
    }

    private static byte @Nullable [] decimal(List<String> numbers) {
        var address = new byte[ARPA_V4];
        for (int i = 0; i < ARPA_V4; i++) {
            String number = numbers.get(i);
            if (!number.matches("[0-9]{1,3}") || Integer.parseInt(number) > 0xff) {
                return null;
            }
            address[i] = (byte) Integer.parseInt(number);
        }
        return address;
    }

    /** The bytes of an IP address in text; null for a host name. Asks no resolver. */
    static byte @Nullable [] address(String text) {
        if (text.isEmpty()
                || !(text.indexOf(':') >= 0 || isDigit(text.charAt(text.length() - 1)))) {
            return null;
        }
        try {
            return InetAddress.ofLiteral(text).getAddress();
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }
}
