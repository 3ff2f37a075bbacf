package registry.api;

import com.fasterxml.jackson.annotation.JsonGetter;
import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** One row of {@code /v1/catalog/service/NAME}: an instance joined with its node. */
@JsonPropertyOrder({
    "ID",
    "Node",
    "Address",
    "Datacenter",
    "TaggedAddresses",
    "NodeMeta",
    "ServiceKind",
    "ServiceID",
    "ServiceName",
    "ServiceTags",
    "ServiceAddress",
    "ServiceTaggedAddresses",
    "ServiceWeights",
    "ServiceMeta",
    "ServicePort",
    "ServiceEnableTagOverride",
    "ServiceProxy",
    "ServiceConnect",
    "CreateIndex",
    "ModifyIndex"
})
@JsonIgnoreProperties(
        value = {"ServiceProxy", "ServiceConnect"},
        allowGetters = true)
public record CatalogService(
        String id,
        String node,
        String address,
        String datacenter,
        @Nullable SortedMap<String, String> taggedAddresses,
        @Nullable SortedMap<String, String> nodeMeta,
        String serviceKind,
        String serviceId,
        String serviceName,
        List<String> serviceTags,
        String serviceAddress,
        @JsonInclude(JsonInclude.Include.NON_EMPTY)
                @Nullable SortedMap<String, ServiceAddress> serviceTaggedAddresses,
        Weights serviceWeights,
        SortedMap<String, String> serviceMeta,
        int servicePort,
        boolean serviceEnableTagOverride,
        long createIndex,
        long modifyIndex) {

    /** The join of an instance with the node that carries it. */
    public static CatalogService of(Node node, NodeService service) {
        return new CatalogService(
                node.id(),
                node.node(),
                node.address(),
                node.datacenter(),
                node.taggedAddresses(),
                node.meta(),
                service.kind(),
                service.id(),
                service.service(),
                service.tags(),
                service.address(),
                service.taggedAddresses(),
                service.weights(),
                service.meta() == null ? new TreeMap<>() : service.meta(),
                service.port(),
                service.enableTagOverride(),
                service.createIndex(),
                service.modifyIndex());
    }

    @JsonGetter("ServiceProxy")
    MeshProxy serviceProxy() {
        return MeshProxy.NONE;
    }

    @JsonGetter("ServiceConnect")
    Map<String, String> serviceConnect() {
        return Map.of();
    }
}
