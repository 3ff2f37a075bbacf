package registry.agent.gossip;

import org.jspecify.annotations.Nullable;

/**
 * An event that a user fired; JSON as in {@code /v1/event/list}. Source: consul-api 3.10.
 *
 * @param payload base64
 * @param nodeFilter regular expression, empty for all; so are the others
 * @param lTime number in the order of events, 0 in the answer to who fired it
 */
public record UserEvent(
        String id,
        String name,
        byte @Nullable [] payload,
        String nodeFilter,
        String serviceFilter,
        String tagFilter,
        int version,
        long lTime) {

    UserEvent at(long time) {
        return new UserEvent(
                id, name, payload, nodeFilter, serviceFilter, tagFilter, version, time);
    }
}
