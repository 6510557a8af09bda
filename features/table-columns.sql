-- about = "The columns of a labelled table as they are: for datasets that come as features, such as NSL-KDD."
-- blind_to = "everything that is not a column of the table"
-- [columns]
-- "*" = "a column of the dataset"
select * from table_columns
