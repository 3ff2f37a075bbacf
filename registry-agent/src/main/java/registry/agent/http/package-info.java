/** The HTTP API: one table of routes behind two doors of one Jetty. */
@NullMarked
package registry.agent.http;

import org.jspecify.annotations.NullMarked;
