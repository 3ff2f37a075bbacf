package registry.api;

import java.util.SortedMap;

/**
 * A gossip member. {@code status}: 0 none, 1 alive, 2 leaving, 3 left, 4 failed. Source: consul-api
 * 3.5.
 */
public record Member(
        String name,
        String addr,
        int port,
        SortedMap<String, String> tags,
        int status,
        int protocolMin,
        int protocolMax,
        int protocolCur,
        int delegateMin,
        int delegateMax,
        int delegateCur) {
    public static final int ALIVE = 1;
    public static final int LEAVING = 2;
    public static final int LEFT = 3;
    public static final int FAILED = 4;
}
