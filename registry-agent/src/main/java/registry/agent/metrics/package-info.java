/** What an agent counts and measures, in the forms that Consul's users know. */
@NullMarked
package registry.agent.metrics;

import org.jspecify.annotations.NullMarked;
