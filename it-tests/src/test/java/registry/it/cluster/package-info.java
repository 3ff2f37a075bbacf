/** Several nodes under faults, and workloads that judge themselves meanwhile. */
@NullMarked
package registry.it.cluster;

import org.jspecify.annotations.NullMarked;
