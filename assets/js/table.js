// A table whose cells say their column's name where they stand below each other.
const labelledTable = (heads, rows) => {
  const table = make('table', '');
  const head = make('thead', '');
  const top = make('tr', '');
  top.append(...heads.map((text) => make('th', '', text)));
  head.append(top);
  const body = make('tbody', '');
  body.append(
    ...rows.map(([first, ...cells]) => {
      const row = make('tr', '');
      const name = make('th', '');
      name.append(...first);
      row.append(
        name,
        ...cells.map((content, i) => {
          const cell = make('td', '');
          cell.dataset.label = heads[i + 1];
          cell.append(content);
          return cell;
        }),
      );
      return row;
    }),
  );
  table.append(head, body);
  return table;
};
