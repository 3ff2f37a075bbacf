package registry.agent.watch;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;

/** What a watch does with a result: one call at a time, on the watch's own thread. */
public interface WatchHandler {
    /**
     * Deals with a result; changes that come meanwhile are seen together by the next call.
     *
     * @param index the result's {@code X-Consul-Index}
     * @return false to end the watch
     * @throws IOException when the handler could not be run or failed
     */
    boolean handle(long index, JsonNode result) throws IOException, InterruptedException;
}
