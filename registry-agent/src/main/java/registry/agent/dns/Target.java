package registry.agent.dns;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.Type;

/**
 * Where a name leads: an IP address, or another name.
 *
 * @param ip null when it is a host name
 * @param host null when it is an IP address
 */
@SuppressWarnings("ArrayRecordComponent") // Never compared.
record Target(byte @Nullable [] ip, @Nullable Name host) {
    private static final int V4 = 4;
    private static final int MAX_TEXT = 255;
    private static final String VALUE_ONLY = "rfc1035-";

    /** Of an address as it was registered; null when it is neither. */
    static @Nullable Target of(String address) {
        byte[] ip = Names.address(address);
        if (ip != null) {
            return new Target(ip, null);
        }
        Name host = Names.of(address);
        return host == null ? null : new Target(null, host);
    }

    /** The record that says it under a name; null when the type asked for wants no such record. */
    @Nullable Record record(Name name, int type, long ttl) {
        if (ip == null) {
            return host == null ? null : new CNAMERecord(name, DClass.IN, ttl, host);
        }
        int own = ip.length == V4 ? Type.A : Type.AAAA;
        if ((type == Type.A || type == Type.AAAA) && type != own) {
            return null;
        }
        return address(name, ttl, ip);
    }

    static Record address(Name name, long ttl, byte[] ip) {
        return ip.length == V4
                ? new ARecord(name, DClass.IN, ttl, ip)
                : new AAAARecord(name, DClass.IN, ttl, ip);
    }

    /** The metadata of a node as RFC 1464 has it. */
    static List<Record> texts(Name name, long ttl, @Nullable SortedMap<String, String> meta) {
        if (meta == null) {
            return List.of();
        }
        var records = new ArrayList<Record>();
        meta.forEach((key, value) -> {
            String text = key.startsWith(VALUE_ONLY) ? value : attribute(key) + "=" + value;
            records.add(new TXTRecord(name, DClass.IN, ttl, chunks(text)));
        });
        return records;
    }

    private static String attribute(String key) {
        return key.replace("`", "``").replace("=", "`=");
    }

    /** Strings of at most 255 bytes, in the escaped form that the library reads. */
    private static List<String> chunks(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        var chunks = new ArrayList<String>();
        var chunk = new StringBuilder();
        for (int i = 0; i < bytes.length; i++) {
            if (i > 0 && i % MAX_TEXT == 0) {
                chunks.add(chunk.toString());
                chunk.setLength(0);
            }
            int b = bytes[i] & 0xff;
            if (b < ' ' || b > '~' || b == '"' || b == '\\') {
                chunk.append('\\').append("%03d".formatted(b));
            } else {
                chunk.append((char) b);
            }
        }
        chunks.add(chunk.toString());
        return chunks;
    }
}
