package registry.api.json;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.NamingBase;
import java.util.Locale;
import java.util.Set;

/**
 * Turns record components into the names of Consul's API: {@code serviceId} into {@code ServiceID}.
 */
final class GoNames extends NamingBase {
    private static final long serialVersionUID = 1L;
    private static final Set<String> ACRONYMS =
            Set.of(
                    "ID", "IDS", "TTL", "HTTP", "HTTPS", "TCP", "UDP", "DNS", "TLS", "URL", "ACL",
                    "WAN", "LAN", "GRPC", "CAS");

    @Override
    public String translate(String name) {
        var out = new StringBuilder(name.length());
        int start = 0;
        for (int at = 1; at <= name.length(); at++) {
            if (at == name.length() || Character.isUpperCase(name.charAt(at))) {
                String word = name.substring(start, at);
                String upper = word.toUpperCase(Locale.ROOT);
                if (upper.equals("IDS")) {
                    out.append("IDs");
                } else if (ACRONYMS.contains(upper)) {
                    out.append(upper);
                } else {
                    out.append(upper.charAt(0)).append(word, 1, word.length());
                }
                start = at;
            }
        }
        return out.toString();
    }
}
