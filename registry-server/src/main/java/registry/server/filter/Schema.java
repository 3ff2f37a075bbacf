package registry.server.filter;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** What a filter may ask of a row, by the names that selectors use. Immutable. */
public final class Schema<T> {
    /** One member; what it yields may be null where a row may lack it. */
    sealed interface Field<T> {
        record Text<T>(Function<T, String> of) implements Field<T> {}

        record Number<T>(ToLongFunction<T> of) implements Field<T> {}

        record Flag<T>(Predicate<T> of) implements Field<T> {}

        record Texts<T>(Function<T, List<String>> of) implements Field<T> {}

        record TextMap<T>(Function<T, @Nullable Map<String, String>> of) implements Field<T> {}

        record One<T, U>(Function<T, U> of, Schema<U> schema) implements Field<T> {}

        record Many<T, U>(Function<T, Collection<U>> of, Schema<U> schema) implements Field<T> {}

        record Named<T, U>(Function<T, @Nullable Map<String, U>> of, Schema<U> schema)
                implements Field<T> {}
    }

    private final Map<String, Field<T>> fields;

    private Schema(Map<String, Field<T>> fields) {
        this.fields = fields;
    }

    public static <T> Builder<T> builder() {
        return new Builder<>();
    }

    @Nullable Field<T> field(String name) {
        return fields.get(name);
    }

    /** Collects the members of a schema. */
    public static final class Builder<T> {
        private final Map<String, Field<T>> fields = new LinkedHashMap<>();

        public Builder<T> text(String name, Function<T, String> of) {
            return add(name, new Field.Text<>(of));
        }

        public Builder<T> number(String name, ToLongFunction<T> of) {
            return add(name, new Field.Number<>(of));
        }

        public Builder<T> flag(String name, Predicate<T> of) {
            return add(name, new Field.Flag<>(of));
        }

        public Builder<T> texts(String name, Function<T, List<String>> of) {
            return add(name, new Field.Texts<>(of));
        }

        public Builder<T> textMap(String name, Function<T, @Nullable Map<String, String>> of) {
            return add(name, new Field.TextMap<>(of));
        }

        public <U> Builder<T> one(String name, Function<T, U> of, Schema<U> schema) {
            return add(name, new Field.One<>(of, schema));
        }

        public <U> Builder<T> many(String name, Function<T, Collection<U>> of, Schema<U> schema) {
            return add(name, new Field.Many<>(of, schema));
        }

        /** A map to structures, whose members are selected behind their key. */
        public <U> Builder<T> named(
                String name, Function<T, @Nullable Map<String, U>> of, Schema<U> schema) {
            return add(name, new Field.Named<>(of, schema));
        }

        public Schema<T> build() {
            return new Schema<>(Map.copyOf(fields));
        }

        private Builder<T> add(String name, Field<T> field) {
            fields.put(name, field);
            return this;
        }
    }
}
