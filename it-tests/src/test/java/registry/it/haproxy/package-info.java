/** The companion as it is packaged, with real agents, a real HAProxy and backends under load. */
@NullMarked
package registry.it.haproxy;

import org.jspecify.annotations.NullMarked;
