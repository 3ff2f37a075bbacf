/** DNS: the catalogue under the names of Consul's domain. Source: consul-api 10. */
@NullMarked
package registry.agent.dns;

import org.jspecify.annotations.NullMarked;
