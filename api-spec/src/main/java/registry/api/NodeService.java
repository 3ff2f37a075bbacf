package registry.api;

import com.fasterxml.jackson.annotation.JsonGetter;
import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/** A service instance as its node carries it; {@code meta} is null when it has none. */
@JsonPropertyOrder({
    "Kind",
    "ID",
    "Service",
    "Tags",
    "Address",
    "TaggedAddresses",
    "Meta",
    "Port",
    "Weights",
    "EnableTagOverride",
    "Proxy",
    "Connect",
    "CreateIndex",
    "ModifyIndex"
})
@JsonIgnoreProperties(
        value = {"Proxy", "Connect"},
        allowGetters = true)
public record NodeService(
        @JsonInclude(JsonInclude.Include.NON_EMPTY) String kind,
        String id,
        String service,
        List<String> tags,
        String address,
        @JsonInclude(JsonInclude.Include.NON_EMPTY)
                @Nullable SortedMap<String, ServiceAddress> taggedAddresses,
        @Nullable SortedMap<String, String> meta,
        int port,
        Weights weights,
        boolean enableTagOverride,
        long createIndex,
        long modifyIndex) {

    @JsonGetter("Proxy")
    MeshProxy proxy() {
        return MeshProxy.NONE;
    }

    @JsonGetter("Connect")
    Map<String, String> connect() {
        return Map.of();
    }
}
