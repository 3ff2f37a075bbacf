package registry.api;

import com.fasterxml.jackson.annotation.JsonGetter;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.Map;

/**
 * The empty mesh block that clients of Consul expect in each service: {@code
 * {"MeshGateway":{},"Expose":{}}}.
 */
@JsonPropertyOrder({"MeshGateway", "Expose"})
public record MeshProxy() {
    static final MeshProxy NONE = new MeshProxy();

    @JsonGetter("MeshGateway")
    Map<String, String> meshGateway() {
        return Map.of();
    }

    @JsonGetter("Expose")
    Map<String, String> expose() {
        return Map.of();
    }
}
