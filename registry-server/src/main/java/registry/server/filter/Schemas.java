package registry.server.filter;

import registry.api.AgentService;
import registry.api.CatalogService;
import registry.api.HealthCheck;
import registry.api.Node;
import registry.api.NodeService;
import registry.api.ServiceAddress;
import registry.api.Weights;

/** The selectors of each kind of row. Source: consul-api 4.4 */
public final class Schemas {
    private static final Schema<Weights> WEIGHTS =
            Schema.<Weights>builder()
                    .number("Passing", Weights::passing)
                    .number("Warning", Weights::warning)
                    .build();

    private static final Schema<ServiceAddress> ADDRESS =
            Schema.<ServiceAddress>builder()
                    .text("Address", ServiceAddress::address)
                    .number("Port", ServiceAddress::port)
                    .build();

    /** {@code catalog/nodes}. */
    public static final Schema<Node> NODE =
            Schema.<Node>builder()
                    .text("ID", Node::id)
                    .text("Node", Node::node)
                    .text("Address", Node::address)
                    .text("Datacenter", Node::datacenter)
                    .textMap("TaggedAddresses", Node::taggedAddresses)
                    .textMap("Meta", Node::meta)
                    .build();

    /** {@code catalog/node} and {@code catalog/node-services}. */
    public static final Schema<NodeService> NODE_SERVICE =
            Schema.<NodeService>builder()
                    .text("Kind", NodeService::kind)
                    .text("ID", NodeService::id)
                    .text("Service", NodeService::service)
                    .texts("Tags", NodeService::tags)
                    .text("Address", NodeService::address)
                    .named("TaggedAddresses", NodeService::taggedAddresses, ADDRESS)
                    .textMap("Meta", NodeService::meta)
                    .number("Port", NodeService::port)
                    .one("Weights", NodeService::weights, WEIGHTS)
                    .flag("EnableTagOverride", NodeService::enableTagOverride)
                    .build();

    /** {@code agent/services}. */
    public static final Schema<AgentService> AGENT_SERVICE =
            Schema.<AgentService>builder()
                    .text("Kind", AgentService::kind)
                    .text("ID", AgentService::id)
                    .text("Service", AgentService::service)
                    .texts("Tags", AgentService::tags)
                    .text("Address", AgentService::address)
                    .named("TaggedAddresses", AgentService::taggedAddresses, ADDRESS)
                    .textMap("Meta", AgentService::meta)
                    .number("Port", AgentService::port)
                    .one("Weights", AgentService::weights, WEIGHTS)
                    .flag("EnableTagOverride", AgentService::enableTagOverride)
                    .build();

    /** {@code catalog/service}. */
    public static final Schema<CatalogService> CATALOG_SERVICE =
            Schema.<CatalogService>builder()
                    .text("ID", CatalogService::id)
                    .text("Node", CatalogService::node)
                    .text("Address", CatalogService::address)
                    .text("Datacenter", CatalogService::datacenter)
                    .textMap("TaggedAddresses", CatalogService::taggedAddresses)
                    .textMap("NodeMeta", CatalogService::nodeMeta)
                    .text("ServiceKind", CatalogService::serviceKind)
                    .text("ServiceID", CatalogService::serviceId)
                    .text("ServiceName", CatalogService::serviceName)
                    .texts("ServiceTags", CatalogService::serviceTags)
                    .text("ServiceAddress", CatalogService::serviceAddress)
                    .named(
                            "ServiceTaggedAddresses",
                            CatalogService::serviceTaggedAddresses,
                            ADDRESS)
                    .one("ServiceWeights", CatalogService::serviceWeights, WEIGHTS)
                    .textMap("ServiceMeta", CatalogService::serviceMeta)
                    .number("ServicePort", CatalogService::servicePort)
                    .flag("ServiceEnableTagOverride", CatalogService::serviceEnableTagOverride)
                    .build();

    /** {@code health/node}, {@code checks}, {@code state} and {@code agent/checks}. */
    public static final Schema<HealthCheck> CHECK =
            Schema.<HealthCheck>builder()
                    .text("Node", HealthCheck::node)
                    .text("CheckID", HealthCheck::checkId)
                    .text("Name", HealthCheck::name)
                    .text("Status", HealthCheck::status)
                    .text("Notes", HealthCheck::notes)
                    .text("Output", HealthCheck::output)
                    .text("ServiceID", HealthCheck::serviceId)
                    .text("ServiceName", HealthCheck::serviceName)
                    .texts("ServiceTags", HealthCheck::serviceTags)
                    .text("Type", HealthCheck::type)
                    .build();

    private Schemas() {}
}
